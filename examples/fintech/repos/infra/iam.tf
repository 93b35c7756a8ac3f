resource "aws_iam_role" "payments_core" {
  name = "payments-core"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "payments_core" {
  name = "payments-core"
  role = aws_iam_role.payments_core.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:*"]
      Resource = "arn:aws:kms:eu-central-1:111122223333:key/payments-tokens"
    }]
  })
}
