resource "aws_db_instance" "ledger" {
  identifier                = "ledger"
  engine                    = "postgres"
  engine_version            = "16.4"
  instance_class            = "db.m6g.large"
  allocated_storage         = 200
  storage_encrypted         = false
  deletion_protection       = true
  multi_az                  = true
  backup_retention_period   = 35
  final_snapshot_identifier = "ledger-final"
}

resource "aws_db_instance" "payments" {
  identifier                = "payments"
  engine                    = "postgres"
  engine_version            = "16.4"
  instance_class            = "db.m6g.large"
  allocated_storage         = 100
  storage_encrypted         = true
  deletion_protection       = true
  multi_az                  = true
  backup_retention_period   = 35
  final_snapshot_identifier = "payments-final"
}
