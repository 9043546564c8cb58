# Expressions of which a part is known only after the deployment: U is a text, D may be anything.
resource "terraform_data" "parts" {
  for_each = {
    p000 = length([terraform_data.shapes.id]) # length([U])
    p001 = [terraform_data.shapes.id, "b"][1] # [U, "b"][1]
    p002 = element([terraform_data.shapes.id, "b"], 1) # element([U, "b"], 1)
    p003 = contains(["a"], terraform_data.shapes.id) # contains(["a"], U)
    p004 = contains(["a", terraform_data.shapes.id], "a") # contains(["a", U], "a")
    p005 = terraform_data.shapes.id != "" # U != ""
    p006 = terraform_data.shapes.id == null ? "a" : "b" # U == null ? "a" : "b"
    p007 = terraform_data.shapes.id == null # U == null
    p009 = try(terraform_data.shapes.output.foo, "x") # try(D.foo, "x")
    p010 = can(terraform_data.shapes.output.foo) # can(D.foo)
    p011 = can(terraform_data.shapes.id) # can(U)
    p012 = lookup({ a = 1 }, terraform_data.shapes.id, 2) # lookup({ a = 1 }, U, 2)
    p013 = lookup(terraform_data.shapes.output, "a", 1) # lookup(D, "a", 1)
    p014 = merge({ a = 1 }, terraform_data.shapes.output) # merge({ a = 1 }, D)
    p015 = merge({ a = 1 }, { a = terraform_data.shapes.id, b = 2 }).b # merge({ a = 1 }, { a = U, b = 2 }).b
    p016 = keys(merge({ a = 1 }, { b = terraform_data.shapes.id })) # keys(merge({ a = 1 }, { b = U }))
    p017 = length(toset([terraform_data.shapes.id, "a"])) # length(toset([U, "a"]))
    p018 = length(distinct(["a", "a", terraform_data.shapes.id])) # length(distinct(["a", "a", U]))
    p019 = join("-", ["a", terraform_data.shapes.id]) # join("-", ["a", U])
    p020 = length([for x in ["a", terraform_data.shapes.id] : x if x != "a"]) # length([for x in ["a", U] : x if x != "a"])
    p021 = length([for x in ["a", terraform_data.shapes.id] : x]) # length([for x in ["a", U] : x])
    p022 = { for k in ["a"] : k => terraform_data.shapes.id } # { for k in ["a"] : k => U }
    p023 = { for k in ["a", terraform_data.shapes.id] : k => 1 } # { for k in ["a", U] : k => 1 }
    p024 = coalesce("a", terraform_data.shapes.id) # coalesce("a", U)
    p025 = coalesce(terraform_data.shapes.id, "a") # coalesce(U, "a")
    p026 = coalesce(null, "a", terraform_data.shapes.id) # coalesce(null, "a", U)
    p027 = length(coalescelist([], [terraform_data.shapes.id])) # length(coalescelist([], [U]))
    p028 = compact(["a", terraform_data.shapes.id]) # compact(["a", U])
    p029 = length(flatten([["a"], [terraform_data.shapes.id]])) # length(flatten([["a"], [U]]))
    p030 = length(flatten([["a"], terraform_data.shapes.output])) # length(flatten([["a"], D]))
    p032 = zipmap(["a"], [terraform_data.shapes.id]) # zipmap(["a"], [U])
    p033 = tostring(terraform_data.shapes.id) # tostring(U)
    p034 = "x${terraform_data.shapes.id}" # "x${U}"
    p037 = false || terraform_data.shapes.id == "x" # false || U == "x"
    p038 = true && terraform_data.shapes.id == "x" # true && U == "x"
    p039 = !(terraform_data.shapes.id == "x") # !(U == "x")
    p040 = one([terraform_data.shapes.id]) # one([U])
    p041 = sort(["a", terraform_data.shapes.id]) # sort(["a", U])
    p042 = index(["a", terraform_data.shapes.id], "a") # index(["a", U], "a")
    p043 = slice([terraform_data.shapes.id, "a"], 1, 2) # slice([U, "a"], 1, 2)
    p044 = reverse(["a", terraform_data.shapes.id])[1] # reverse(["a", U])[1]
    p045 = max(1, length(terraform_data.shapes.id)) # max(1, length(U))
    p048 = tolist([terraform_data.shapes.id, "a"])[1] # tolist([U, "a"])[1]
    p049 = values({ a = terraform_data.shapes.id, b = "x" })[1] # values({ a = U, b = "x" })[1]
    p050 = format("%s", terraform_data.shapes.id) # format("%s", U)
    p051 = replace(terraform_data.shapes.id, "a", "b") # replace(U, "a", "b")
    p052 = split(",", terraform_data.shapes.id) # split(",", U)
    p053 = setsubtract(["a"], [terraform_data.shapes.id]) # setsubtract(["a"], [U])
    p054 = alltrue([false, terraform_data.shapes.id == "x"]) # alltrue([false, U == "x"])
    p055 = anytrue([true, terraform_data.shapes.id == "x"]) # anytrue([true, U == "x"])
    p056 = alltrue([true, terraform_data.shapes.id == "x"]) # alltrue([true, U == "x"])
    p057 = [for k, v in { a = terraform_data.shapes.id } : k][0] # [for k, v in { a = U } : k][0]
    p058 = [{ a = terraform_data.shapes.id, b = 1 }][*].b # [{ a = U, b = 1 }][*].b
    p059 = [terraform_data.shapes.id][*] # [U][*]
    p060 = terraform_data.shapes.output[*] # D[*]
    p062 = terraform_data.shapes.id == "x" ? 1 : 1 # U == "x" ? 1 : 1
    p063 = terraform_data.shapes.id == "x" ? [1] : [2] # U == "x" ? [1] : [2]
    p064 = "%{ if terraform_data.shapes.id == "x" }a%{ else }b%{ endif }" # "%{ if U == "x" }a%{ else }b%{ endif }"
    p065 = "%{ if true }a%{ else }${terraform_data.shapes.id}%{ endif }" # "%{ if true }a%{ else }${U}%{ endif }"
    p067 = false ? terraform_data.shapes.id : "known" # false ? U : "known"
    p068 = try(tonumber(terraform_data.shapes.id), 1) # try(tonumber(U), 1)
    p069 = try([terraform_data.shapes.id][1], "x") # try([U][1], "x")
    p070 = try({ a = terraform_data.shapes.id }.b, "x") # try({ a = U }.b, "x")
    p071 = range(length([terraform_data.shapes.id, terraform_data.shapes.id])) # range(length([U, U]))
    p072 = parseint(terraform_data.shapes.id, 10) # parseint(U, 10)
    p073 = length({ a = terraform_data.shapes.id }) # length({ a = U })
    p074 = [terraform_data.shapes.id] == ["x"] # [U] == ["x"]
    p075 = [terraform_data.shapes.id] == [] # [U] == []
    p076 = { a = terraform_data.shapes.id } == { b = 1 } # { a = U } == { b = 1 }
    p077 = toset(["a"]) == toset([terraform_data.shapes.id]) # toset(["a"]) == toset([U])
    p079 = cidrsubnet("10.0.0.0/8", 8, length(terraform_data.shapes.id)) # cidrsubnet("10.0.0.0/8", 8, length(U))
  }
  input = each.value
}
