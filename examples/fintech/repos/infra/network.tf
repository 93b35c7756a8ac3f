resource "aws_security_group" "payments_edge" {
  name        = "payments-edge"
  description = "What may reach the payments load balancer"
  vpc_id      = "vpc-0a1b2c3d"

  ingress {
    description = "gateway"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.20.0.0/16"]
  }

  ingress {
    description = "bank partner"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["198.51.100.0/24"]
  }

  lifecycle {
    ignore_changes = [ingress]
  }
}
