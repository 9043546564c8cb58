variable "project" {
  description = "The project that holds Ward and nothing else."
  type        = string
}

variable "region" {
  description = "Where everything lies."
  type        = string
  default     = "europe-west3"
}

variable "site" {
  description = "Short name of the cancer centre."
  type        = string
}
