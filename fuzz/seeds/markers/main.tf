resource "aws_security_group" "web" {
  # holdpoint: break-glass until 2026-06-01 mara blocks card testing
  name = "web"
  tags = {
    "holdpoint:hands-off" = "mara 2026-06-01 rewrite"
    (var.x) = "holdpoint"
  }
}
