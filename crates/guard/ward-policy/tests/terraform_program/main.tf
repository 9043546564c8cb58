variable "given" {}

variable "count_of" {
  type = number
}

variable "zones" {
  default = { west = "10.0.1.0/24", east = "10.0.2.0/24" }
}

variable "secret" {
  default   = "hunter2"
  sensitive = true
}

variable "rules" {
  type = list(object({
    port = number
    cidr = optional(string, "10.0.0.0/8")
  }))
  default = [{ port = 443 }, { port = 22, cidr = "192.168.0.0/16" }]
}

locals {
  name   = "${var.given}-${local.suffix}"
  suffix = format("%03d", 7)
  ports  = [for rule in var.rules : rule.port]
  by_cidr = {
    for rule in var.rules : rule.cidr => rule.port...
  }
  nested = flatten([for zone, cidr in var.zones : [for n in range(2) : "${zone}${n}${cidr}"]])
}

# What is known.
resource "terraform_data" "known" {
  for_each = {
    arithmetic   = 1 + 2 * 3 - 10 / 4
    remainder    = 17 % 5
    negative     = -(3 - 5)
    logic        = !(1 > 2) && (true || false)
    equal_kinds  = "1" == 1
    equal_lists  = [1, "a"] == [1, "a"]
    conditional  = length(local.ports) > 1 ? "many" : "one"
    mixed_branch = true ? 1 : "a"
    local        = local.name
    splat        = join(",", var.rules[*].cidr)
    old_splat    = join(",", var.rules.*.cidr)
    grouped      = jsonencode(local.by_cidr)
    nested       = join(";", local.nested)
    heredoc      = <<-EOT
      first ${var.given}
        second $${literal}
      %{~ if true }
      third
      %{ endif ~}
    EOT
    escapes      = "tab\t quote\" unicode\u00e9 $${x} %%{y}"
    template     = templatefile("note.tpl", { name = "A", days = ["mon", "tue"], urgent = false })
    coalesce     = coalesce(null, "", "x")
    try          = try({ a = 1 }.b, [1][4], "fallback")
    can          = can(tonumber("x"))
    lookup       = lookup(var.zones, "north", "none")
    element      = element(["a", "b", "c"], 4)
    contains     = contains(keys(var.zones), "east")
    replace      = replace("a.b.c", ".", "-")
    title        = title("hello world")
    trims        = "${trim("--a--", "-")}${trimspace("  b ")}${trimprefix("xc", "x")}${trimsuffix("dx", "x")}"
    substr       = "${substr("hello", 1, 3)}${substr("hello", -3, -1)}"
    split        = jsonencode(split(",", "a,b,,c"))
    sets         = jsonencode([toset(["b", "a", "b"]), setunion(["a"], ["c"]), setsubtract(["a", "b"], ["a"]), setintersection(["a", "b"], ["b"])])
    lists        = jsonencode([concat([1], [2]), reverse([1, 2]), slice(["a", "b", "c"], 1, 2), distinct([1, 1, 2]), compact(["a", "", "b"]), sort(["b", "a"]), range(1, 7, 2)])
    maps         = jsonencode(merge({ a = 1, b = { c = null } }, { b = 2 }, zipmap(["z"], [true])))
    numbers      = jsonencode([max(1, 5, 3), min(4, 2), abs(-3), ceil(1.1), floor(1.9), pow(2, 10), signum(-4), sum([1, 2.5]), parseint("ff", 16)])
    one          = jsonencode([one([]), one(["x"])])
    truths       = jsonencode([alltrue([]), anytrue([false, true]), startswith("abc", "ab"), endswith("abc", "bc"), strcontains("abc", "b")])
    casts        = jsonencode([tostring(5), tonumber("5.5"), tobool("true"), tolist(["a"]), tomap({ a = "b" })])
    encodings    = jsonencode([base64encode("hé"), base64decode("aMOp"), urlencode("a b&c/é"), jsondecode("{\"a\": [1, null]}"), yamldecode("a: [1, x]\nb: true")])
    html         = jsonencode("<a href=\"x\">&</a>")
    networks     = jsonencode([cidrsubnet("10.0.0.0/8", 8, 5), cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162), cidrhost("10.12.112.0/20", 16), cidrhost("10.12.112.0/20", -1), cidrnetmask("172.16.0.0/12"), cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)])
    format       = format("%s|%d|%v|%q|%5d|%05d|%%|%t", "a", 42, 1.5, "q\"", 7, 7, true)
    joined_nums  = join("-", [1, 2, 3])
    chomp        = chomp("a\n\n")
    strrev       = strrev("añb")
    paths        = "${basename("a/b/c.txt")} ${dirname("a/b/c.txt")}"
    deep         = { a = { b = [{ c = "found" }] } }.a.b[0].c
    old_index    = ["x", "y"].1
    index        = index(["a", "b"], "b")
    long_number  = 1234567.5
    large        = 100000000000
    coalescelist = join(",", coalescelist([], ["a"]))
    for_if       = jsonencode({ for k, v in var.zones : upper(k) => v if k != "west" })
    nothing      = jsonencode({ for k, v in {} : k => v })
    module       = module.one.name
    ordering     = jsonencode({ b = 1, a = 2, "c d" = 3 })
  }
  input = each.value
}

# Values of every shape.
resource "terraform_data" "shapes" {
  input = {
    list   = [1, "a", true, null, { b = [] }]
    rules  = var.rules
    zones  = var.zones
    merged = merge(var.zones, { north = "10.0.3.0/24" })
    spread = max([1, 9, 3]...)
  }
}

resource "terraform_data" "counted" {
  count = var.count_of
  input = "n${count.index}"
}

resource "terraform_data" "each" {
  for_each = toset(keys(var.zones))
  input    = { key = each.key, value = each.value, counted = length(terraform_data.counted) }
}

resource "terraform_data" "absent" {
  count = var.given == "no" ? 1 : 0
}

# What only the deployment tells.
resource "terraform_data" "later" {
  for_each = {
    direct    = terraform_data.shapes.id
    template  = "${terraform_data.shapes.id}/*"
    function  = upper(terraform_data.shapes.id)
    counted   = terraform_data.counted[1].id
    joined    = join(",", terraform_data.counted[*].id)
    each      = terraform_data.each["east"].id
    module    = module.one.id
    instance  = module.many["b"].id
    compare   = terraform_data.shapes.id == "x"
    either    = terraform_data.shapes.id == "x" ? "a" : "b"
    encoded   = jsonencode({ id = terraform_data.shapes.id })
    try       = try(terraform_data.shapes.id, "never")
    coalesce  = coalesce(terraform_data.shapes.id, "never")
  }
  input = each.value
}

resource "terraform_data" "passed" {
  input = { known = terraform_data.shapes.input.list[1], later = terraform_data.shapes.id, none = one(terraform_data.absent[*].id) }
}

resource "terraform_data" "secret" {
  input = "password=${var.secret}"
}

module "one" {
  source = "./inner"
  name   = "one"
  kept   = null
}

module "many" {
  source   = "./inner"
  for_each = { a = { encrypted = false }, b = { days = 7, labels = { x = "y" } } }
  name     = "many-${each.key}"
  settings = each.value
}
