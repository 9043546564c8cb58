variable "name" {
  type = string
}

variable "settings" {
  type = object({
    encrypted = optional(bool, true)
    days      = optional(number)
    labels    = optional(map(string), {})
  })
  default = {}
}

variable "kept" {
  default  = "kept"
  nullable = false
}

resource "terraform_data" "inner" {
  input = { name = var.name, settings = var.settings, kept = var.kept }
}

output "id" {
  value = terraform_data.inner.id
}

output "name" {
  value = upper(var.name)
}
