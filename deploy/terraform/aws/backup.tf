resource "aws_backup_vault" "ward" {
  name        = "ward"
  kms_key_arn = aws_kms_key.data.arn
}

resource "aws_backup_vault_lock_configuration" "ward" {
  backup_vault_name   = aws_backup_vault.ward.name
  min_retention_days  = 35
  max_retention_days  = 400
  changeable_for_days = 3
}

resource "aws_backup_plan" "ward" {
  name = "ward"

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.ward.name
    schedule          = "cron(0 3 * * ? *)"

    lifecycle {
      delete_after = 35
    }
  }
}

resource "aws_backup_selection" "ward" {
  name         = "ward"
  plan_id      = aws_backup_plan.ward.id
  iam_role_arn = aws_iam_role.backup.arn
  resources    = [aws_ebs_volume.database.arn]
}

resource "aws_iam_role" "backup" {
  name = "ward-backup"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "backup" {
  role       = aws_iam_role.backup.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}
