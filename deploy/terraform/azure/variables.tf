variable "region" {
  description = "Where everything lies."
  type        = string
  default     = "germanywestcentral"
}

variable "site" {
  description = "Short name of the cancer centre: letters and digits."
  type        = string
}

variable "tenant" {
  description = "The directory of your organisation."
  type        = string
}
