resource "aws_cloudwatch_log_group" "gateway" {
  name              = "/fintech/gateway"
  retention_in_days = 30

  lifecycle {
    ignore_changes = [retention_in_days]
  }
}

resource "aws_cloudwatch_log_group" "payments" {
  name              = "/fintech/payments"
  retention_in_days = 400
}
