# Backups and logs, each with its copy in another region. A copy is a bucket like the other one, and copies
# back: after a disaster either of them holds all.

locals {
  names = {
    backups      = "ward-${var.site}-backups"
    backups_copy = "ward-${var.site}-backups-copy"
    logs         = "ward-${var.site}-logs"
    logs_copy    = "ward-${var.site}-logs-copy"
  }
}

module "backups" {
  source      = "./bucket"
  name        = local.names.backups
  data_class  = "records"
  key         = aws_kms_key.data.arn
  locked_days = 90
  kept_days   = 400
  account     = var.account
  copy        = "arn:aws:s3:::${local.names.backups_copy}"
  copy_key    = aws_kms_key.copies.arn
  copy_role   = aws_iam_role.replication.arn
  log_bucket  = local.names.logs
}

module "backups_copy" {
  source      = "./bucket"
  providers   = { aws = aws.copies }
  name        = local.names.backups_copy
  data_class  = "records"
  key         = aws_kms_key.copies.arn
  locked_days = 90
  kept_days   = 400
  account     = var.account
  copy        = "arn:aws:s3:::${local.names.backups}"
  copy_key    = aws_kms_key.data.arn
  copy_role   = aws_iam_role.replication.arn
  log_bucket  = local.names.logs_copy
}

module "logs" {
  source      = "./bucket"
  name        = local.names.logs
  data_class  = "logs"
  key         = aws_kms_key.logs.arn
  locked_days = 2192
  kept_days   = 2557
  account     = var.account
  copy        = "arn:aws:s3:::${local.names.logs_copy}"
  copy_key    = aws_kms_key.copies.arn
  copy_role   = aws_iam_role.replication.arn
  log_bucket  = local.names.logs
}

module "logs_copy" {
  source      = "./bucket"
  providers   = { aws = aws.copies }
  name        = local.names.logs_copy
  data_class  = "logs"
  key         = aws_kms_key.copies.arn
  locked_days = 2192
  kept_days   = 2557
  account     = var.account
  copy        = "arn:aws:s3:::${local.names.logs}"
  copy_key    = aws_kms_key.logs.arn
  copy_role   = aws_iam_role.replication.arn
  log_bucket  = local.names.logs_copy
}

resource "aws_iam_role" "replication" {
  name = "ward-replication"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_policy" "replication" {
  name = "ward-replication"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
        Resource = flatten([for name in values(local.names) : ["arn:aws:s3:::${name}", "arn:aws:s3:::${name}/*"]])
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.data.arn, aws_kms_key.logs.arn, aws_kms_key.copies.arn]
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "replication" {
  role       = aws_iam_role.replication.name
  policy_arn = aws_iam_policy.replication.arn
}
