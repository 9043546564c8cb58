# Everything at once.
variable "a" {
  type    = map(object({ b = optional(list(string), ["x"]) }))
  default = { k = {} }
}
locals {
  c = { for k, v in var.a : "${k}!" => v.b[0]... if v != null }
  d = <<-EOT
    %{ for x in [1, -2.5e1] ~}
    ${x}, $${y}
    %{ endfor }
  EOT
}
module "m" {
  source = "./m"
  a      = try(local.c["k!"], null)
}
resource "t_r" "x" {
  for_each = toset(["p", "q"])
  v        = jsonencode({ Statement = [{ Resource = "${t_r.y.*.arn[0]}/*" }] })
  w        = (1 + 2) * 3 >= 4 && !false ? cidrsubnet("10.0.0.0/8", 8, 1) : format("%03d", 7)
  dynamic "rule" {
    for_each = [t_r.y[*].id]
    iterator = it
    content {
      z = it.value
    }
  }
}
resource "t_r" "y" {
  count = 2 /* two */
}
