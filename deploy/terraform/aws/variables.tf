variable "region" {
  description = "Where everything lies. Pick one that your ethics committee agreed to."
  type        = string
  default     = "eu-central-1"
}

variable "copy_region" {
  description = "Where the copies lie."
  type        = string
  default     = "eu-west-1"
}

variable "site" {
  description = "Short name of the cancer centre."
  type        = string
}

variable "account" {
  description = "Number of the account, for policies that name it."
  type        = string

  validation {
    condition     = can(tonumber(var.account)) && length(var.account) == 12
    error_message = "The number of an account has twelve digits."
  }
}

variable "image" {
  description = "Image of the machine that runs Ward, built and scanned by you."
  type        = string
}

variable "alert_address" {
  description = "Who is told of alarms: an e-mail address that somebody reads."
  type        = string
}
