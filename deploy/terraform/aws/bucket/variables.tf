variable "name" {
  type = string
}

variable "data_class" {
  type = string
}

variable "key" {
  type = string
}

variable "account" {
  type = string
}

variable "locked_days" {
  type = number
}

variable "kept_days" {
  type = number
}

variable "copy" {
  type = string
}

variable "copy_key" {
  type = string
}

variable "copy_role" {
  type = string
}

variable "log_bucket" {
  type = string
}

output "id" {
  value = aws_s3_bucket.this.id
}

output "arn" {
  value = aws_s3_bucket.this.arn
}
