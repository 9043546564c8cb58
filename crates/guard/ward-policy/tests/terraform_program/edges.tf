# Expressions that Terraform refuses, or may seem to: refused is what a `try` goes on behind.
resource "terraform_data" "edges" {
  for_each = {
    e000 = try(jsonencode({ a = 1 }.b), "refused") # { a = 1 }.b
    e001 = try(jsonencode({ a = 1 }["b"]), "refused") # { a = 1 }["b"]
    e002 = try(jsonencode([1, 2][2]), "refused") # [1, 2][2]
    e003 = try(jsonencode([1, 2][-1]), "refused") # [1, 2][-1]
    e004 = try(jsonencode([1, 2][0.5]), "refused") # [1, 2][0.5]
    e005 = try(jsonencode([1, 2]["1"]), "refused") # [1, 2]["1"]
    e006 = try(jsonencode(["a", "b"]["x"]), "refused") # ["a", "b"]["x"]
    e007 = try(jsonencode(null.a), "refused") # null.a
    e008 = try(jsonencode(null[0]), "refused") # null[0]
    e009 = try(jsonencode("text".a), "refused") # "text".a
    e010 = try(jsonencode("text"[0]), "refused") # "text"[0]
    e011 = try(jsonencode(5.a), "refused") # 5.a
    e012 = try(jsonencode(true[0]), "refused") # true[0]
    e013 = try(jsonencode(lookup({ a = 1 }, "b")), "refused") # lookup({ a = 1 }, "b")
    e014 = try(jsonencode(lookup({ a = 1 }, "a")), "refused") # lookup({ a = 1 }, "a")
    e015 = try(jsonencode(lookup({}, "b", "d")), "refused") # lookup({}, "b", "d")
    e016 = try(jsonencode(lookup({ a = null }, "a", "d")), "refused") # lookup({ a = null }, "a", "d")
    e017 = try(jsonencode(element([], 0)), "refused") # element([], 0)
    e018 = try(jsonencode(element(["a"], -1)), "refused") # element(["a"], -1)
    e019 = try(jsonencode(element("a", 0)), "refused") # element("a", 0)
    e020 = try(jsonencode(tonumber("x")), "refused") # tonumber("x")
    e021 = try(jsonencode(tonumber("1e3")), "refused") # tonumber("1e3")
    e022 = try(jsonencode(tonumber("0x10")), "refused") # tonumber("0x10")
    e023 = try(jsonencode(tonumber(" 5")), "refused") # tonumber(" 5")
    e024 = try(jsonencode(tonumber(true)), "refused") # tonumber(true)
    e025 = try(jsonencode(tobool("yes")), "refused") # tobool("yes")
    e026 = try(jsonencode(tobool("True")), "refused") # tobool("True")
    e027 = try(jsonencode(tobool(1)), "refused") # tobool(1)
    e028 = try(jsonencode(tostring([1])), "refused") # tostring([1])
    e029 = try(jsonencode(tostring(null)), "refused") # tostring(null)
    e030 = try(jsonencode(1 / 0), "refused") # 1 / 0
    e031 = try(jsonencode(5 % 0), "refused") # 5 % 0
    e032 = try(jsonencode(1 + "2"), "refused") # 1 + "2"
    e033 = try(jsonencode(1 + "x"), "refused") # 1 + "x"
    e034 = try(jsonencode(1 + true), "refused") # 1 + true
    e035 = try(jsonencode("a" + "b"), "refused") # "a" + "b"
    e036 = try(jsonencode("5" > 3), "refused") # "5" > 3
    e037 = try(jsonencode("a" > 3), "refused") # "a" > 3
    e038 = try(jsonencode(!"true"), "refused") # !"true"
    e039 = try(jsonencode(!"x"), "refused") # !"x"
    e040 = try(jsonencode(-"5"), "refused") # -"5"
    e041 = try(jsonencode(-true), "refused") # -true
    e042 = try(jsonencode(true && "false"), "refused") # true && "false"
    e043 = try(jsonencode(true && "x"), "refused") # true && "x"
    e044 = try(jsonencode("true" ? 1 : 2), "refused") # "true" ? 1 : 2
    e045 = try(jsonencode("x" ? 1 : 2), "refused") # "x" ? 1 : 2
    e046 = try(jsonencode(1 ? "a" : "b"), "refused") # 1 ? "a" : "b"
    e047 = try(jsonencode(null ? "a" : "b"), "refused") # null ? "a" : "b"
    e048 = try(jsonencode(null == ""), "refused") # null == ""
    e049 = try(jsonencode([] == {}), "refused") # [] == {}
    e050 = try(jsonencode({} == {}), "refused") # {} == {}
    e051 = try(jsonencode([1] == ["1"]), "refused") # [1] == ["1"]
    e052 = try(jsonencode("1" == 1), "refused") # "1" == 1
    e053 = try(jsonencode(true == "true"), "refused") # true == "true"
    e054 = try(jsonencode(tostring(1) == "1"), "refused") # tostring(1) == "1"
    e055 = try(jsonencode(merge([1])), "refused") # merge([1])
    e056 = try(jsonencode(merge({ a = 1 }, "x")), "refused") # merge({ a = 1 }, "x")
    e057 = try(jsonencode(merge(null)), "refused") # merge(null)
    e058 = try(jsonencode(concat("a")), "refused") # concat("a")
    e059 = try(jsonencode(concat(["a"], null)), "refused") # concat(["a"], null)
    e060 = try(jsonencode(concat([1], "b")), "refused") # concat([1], "b")
    e061 = try(jsonencode(length(null)), "refused") # length(null)
    e062 = try(jsonencode(length(5)), "refused") # length(5)
    e063 = try(jsonencode(length("añb")), "refused") # length("añb")
    e064 = try(jsonencode(keys([1])), "refused") # keys([1])
    e065 = try(jsonencode(keys(null)), "refused") # keys(null)
    e066 = try(jsonencode(values("x")), "refused") # values("x")
    e067 = try(jsonencode(contains("abc", "a")), "refused") # contains("abc", "a")
    e068 = try(jsonencode(contains([1], "1")), "refused") # contains([1], "1")
    e069 = try(jsonencode(contains(null, 1)), "refused") # contains(null, 1)
    e070 = try(jsonencode(flatten("a")), "refused") # flatten("a")
    e071 = try(jsonencode(flatten([null, [1]])), "refused") # flatten([null, [1]])
    e072 = try(jsonencode(flatten([{ a = [1] }])), "refused") # flatten([{ a = [1] }])
    e073 = try(jsonencode(distinct(["1", 1])), "refused") # distinct(["1", 1])
    e074 = try(jsonencode(compact(["a", null, ""])), "refused") # compact(["a", null, ""])
    e075 = try(jsonencode(compact([1, 0])), "refused") # compact([1, 0])
    e076 = try(jsonencode(join(",", "a")), "refused") # join(",", "a")
    e077 = try(jsonencode(join(",", [null])), "refused") # join(",", [null])
    e078 = try(jsonencode(join(",", [["a"]])), "refused") # join(",", [["a"]])
    e079 = try(jsonencode(join(",", [true, 1])), "refused") # join(",", [true, 1])
    e080 = try(jsonencode(split(",", null)), "refused") # split(",", null)
    e081 = try(jsonencode(split("", "ab")), "refused") # split("", "ab")
    e082 = try(jsonencode(split(",", "")), "refused") # split(",", "")
    e083 = try(jsonencode(format("%d", "5")), "refused") # format("%d", "5")
    e084 = try(jsonencode(format("%d", "x")), "refused") # format("%d", "x")
    e085 = try(jsonencode(format("%d", 1.5)), "refused") # format("%d", 1.5)
    e086 = try(jsonencode(format("%s", null)), "refused") # format("%s", null)
    e087 = try(jsonencode(format("%s")), "refused") # format("%s")
    e088 = try(jsonencode(format("%s", "a", "b")), "refused") # format("%s", "a", "b")
    e089 = try(jsonencode(format("%s", ["a"])), "refused") # format("%s", ["a"])
    e090 = try(jsonencode(format("%v", [1, "a"])), "refused") # format("%v", [1, "a"])
    e091 = try(jsonencode(format("%q", 5)), "refused") # format("%q", 5)
    e092 = try(jsonencode(format("%t", "true")), "refused") # format("%t", "true")
    e093 = try(jsonencode(format("%5s|", "a")), "refused") # format("%5s|", "a")
    e094 = try(jsonencode(format("%x", 255)), "refused") # format("%x", 255)
    e095 = try(jsonencode(format("%", 1)), "refused") # format("%", 1)
    e096 = try(jsonencode(replace("a", null, "b")), "refused") # replace("a", null, "b")
    e097 = try(jsonencode(replace("aaa", "a", "")), "refused") # replace("aaa", "a", "")
    e098 = try(jsonencode(replace("a.b", "/\\./", "-")), "refused") # replace("a.b", "/\\./", "-")
    e099 = try(jsonencode(substr("abc", 5, 1)), "refused") # substr("abc", 5, 1)
    e100 = try(jsonencode(substr("abc", 1, -1)), "refused") # substr("abc", 1, -1)
    e101 = try(jsonencode(substr("abc", -10, 2)), "refused") # substr("abc", -10, 2)
    e102 = try(jsonencode(substr("abc", 0, 10)), "refused") # substr("abc", 0, 10)
    e103 = try(jsonencode(trim("aba", "")), "refused") # trim("aba", "")
    e104 = try(jsonencode(trimprefix("aa", "a")), "refused") # trimprefix("aa", "a")
    e105 = try(jsonencode(title("a-b c_d")), "refused") # title("a-b c_d")
    e106 = try(jsonencode(upper(null)), "refused") # upper(null)
    e107 = try(jsonencode(upper(5)), "refused") # upper(5)
    e108 = try(jsonencode(upper([1])), "refused") # upper([1])
    e109 = try(jsonencode(coalesce(null, null)), "refused") # coalesce(null, null)
    e110 = try(jsonencode(coalesce("", "")), "refused") # coalesce("", "")
    e111 = try(jsonencode(coalesce(1, "a")), "refused") # coalesce(1, "a")
    e112 = try(jsonencode(coalesce(null, 2)), "refused") # coalesce(null, 2)
    e113 = try(jsonencode(coalescelist([], [])), "refused") # coalescelist([], [])
    e114 = try(jsonencode(coalescelist(null, [1])), "refused") # coalescelist(null, [1])
    e115 = try(jsonencode(one([1, 2])), "refused") # one([1, 2])
    e116 = try(jsonencode(one(null)), "refused") # one(null)
    e117 = try(jsonencode(one({})), "refused") # one({})
    e118 = try(jsonencode(slice([1, 2], 0, 3)), "refused") # slice([1, 2], 0, 3)
    e119 = try(jsonencode(slice([1, 2], 1, 0)), "refused") # slice([1, 2], 1, 0)
    e120 = try(jsonencode(slice("abc", 0, 1)), "refused") # slice("abc", 0, 1)
    e121 = try(jsonencode(zipmap(["a"], [1, 2])), "refused") # zipmap(["a"], [1, 2])
    e122 = try(jsonencode(zipmap([1], [2])), "refused") # zipmap([1], [2])
    e123 = try(jsonencode(index([1], 2)), "refused") # index([1], 2)
    e124 = try(jsonencode(index([], 1)), "refused") # index([], 1)
    e125 = try(jsonencode(range(0)), "refused") # range(0)
    e126 = try(jsonencode(range(5, 1)), "refused") # range(5, 1)
    e127 = try(jsonencode(range(1, 5, 0)), "refused") # range(1, 5, 0)
    e128 = try(jsonencode(range(1, 2, 0.25)), "refused") # range(1, 2, 0.25)
    e129 = try(jsonencode(max()), "refused") # max()
    e130 = try(jsonencode(min("3", 2)), "refused") # min("3", 2)
    e131 = try(jsonencode(sum([])), "refused") # sum([])
    e132 = try(jsonencode(sum(["1", 2])), "refused") # sum(["1", 2])
    e133 = try(jsonencode(parseint("zz", 10)), "refused") # parseint("zz", 10)
    e134 = try(jsonencode(parseint("-7", 10)), "refused") # parseint("-7", 10)
    e135 = try(jsonencode(parseint("10", 1)), "refused") # parseint("10", 1)
    e136 = try(jsonencode(pow(0, -1)), "refused") # pow(0, -1)
    e137 = try(jsonencode(signum(-0.5)), "refused") # signum(-0.5)
    e138 = try(jsonencode(ceil("1.2")), "refused") # ceil("1.2")
    e139 = try(jsonencode(abs(null)), "refused") # abs(null)
    e140 = try(jsonencode(toset([1, "1"])), "refused") # toset([1, "1"])
    e141 = try(jsonencode(toset("a")), "refused") # toset("a")
    e142 = try(jsonencode(tolist({ a = 1 })), "refused") # tolist({ a = 1 })
    e143 = try(jsonencode(tomap([1])), "refused") # tomap([1])
    e144 = try(jsonencode(tomap({ a = 1, b = "x" })), "refused") # tomap({ a = 1, b = "x" })
    e145 = try(jsonencode(setintersection(["a"], ["b"])), "refused") # setintersection(["a"], ["b"])
    e146 = try(jsonencode(setunion(["a"], [1])), "refused") # setunion(["a"], [1])
    e147 = try(jsonencode(reverse("abc")), "refused") # reverse("abc")
    e148 = try(jsonencode(reverse([])), "refused") # reverse([])
    e149 = try(jsonencode(sort([3, 10, 2])), "refused") # sort([3, 10, 2])
    e150 = try(jsonencode(sort(["b", null])), "refused") # sort(["b", null])
    e151 = try(jsonencode(alltrue([null])), "refused") # alltrue([null])
    e152 = try(jsonencode(alltrue(["true", "x"])), "refused") # alltrue(["true", "x"])
    e153 = try(jsonencode(anytrue([])), "refused") # anytrue([])
    e154 = try(jsonencode(jsondecode("{")), "refused") # jsondecode("{")
    e155 = try(jsonencode(jsondecode("{\"a\":1,\"a\":2}").a), "refused") # jsondecode("{\"a\":1,\"a\":2}").a
    e156 = try(jsonencode(jsondecode("1.0")), "refused") # jsondecode("1.0")
    e157 = try(jsonencode(jsondecode("")), "refused") # jsondecode("")
    e158 = try(jsonencode(jsonencode(null)), "refused") # jsonencode(null)
    e159 = try(jsonencode(jsonencode(1.50)), "refused") # jsonencode(1.50)
    e160 = try(jsonencode(jsonencode(1e21)), "refused") # jsonencode(1e21)
    e161 = try(jsonencode(yamldecode("a: {")), "refused") # yamldecode("a: {")
    e162 = try(jsonencode(yamldecode("1")), "refused") # yamldecode("1")
    e163 = try(jsonencode(yamldecode("yes")), "refused") # yamldecode("yes")
    e164 = try(jsonencode(base64decode("!!")), "refused") # base64decode("!!")
    e165 = try(jsonencode(base64decode("aGk")), "refused") # base64decode("aGk")
    e166 = try(jsonencode(base64decode("aGk=")), "refused") # base64decode("aGk=")
    e167 = try(jsonencode(base64encode(5)), "refused") # base64encode(5)
    e168 = try(jsonencode(urlencode("*'()")), "refused") # urlencode("*'()")
    e169 = try(jsonencode(cidrsubnet("10.0.0.0/8", 33, 0)), "refused") # cidrsubnet("10.0.0.0/8", 33, 0)
    e170 = try(jsonencode(cidrsubnet("10.0.0.0/8", 1, 2)), "refused") # cidrsubnet("10.0.0.0/8", 1, 2)
    e171 = try(jsonencode(cidrsubnet("10.0.0.1/8", 8, 1)), "refused") # cidrsubnet("10.0.0.1/8", 8, 1)
    e172 = try(jsonencode(cidrsubnet("x", 1, 1)), "refused") # cidrsubnet("x", 1, 1)
    e173 = try(jsonencode(cidrhost("10.0.0.0/30", 4)), "refused") # cidrhost("10.0.0.0/30", 4)
    e174 = try(jsonencode(cidrhost("10.0.0.0/30", -5)), "refused") # cidrhost("10.0.0.0/30", -5)
    e175 = try(jsonencode(cidrnetmask("fd00::/8")), "refused") # cidrnetmask("fd00::/8")
    e176 = try(jsonencode(cidrsubnets("10.0.0.0/30", 1, 1, 1)), "refused") # cidrsubnets("10.0.0.0/30", 1, 1, 1)
    e177 = try(jsonencode(startswith("a", null)), "refused") # startswith("a", null)
    e178 = try(jsonencode(basename("/a/b/")), "refused") # basename("/a/b/")
    e179 = try(jsonencode(dirname("a")), "refused") # dirname("a")
    e180 = try(jsonencode(strrev("")), "refused") # strrev("")
    e181 = try(jsonencode(chomp("a\r\n\r\n")), "refused") # chomp("a\r\n\r\n")
    e182 = try(jsonencode([for x in null : x]), "refused") # [for x in null : x]
    e183 = try(jsonencode([for x in "abc" : x]), "refused") # [for x in "abc" : x]
    e184 = try(jsonencode({ for x in ["a", "a"] : x => 1 }), "refused") # { for x in ["a", "a"] : x => 1 }
    e185 = try(jsonencode({ for x in [null] : x => 1 }), "refused") # { for x in [null] : x => 1 }
    e186 = try(jsonencode({ for k, v in { a = 1 } : k => v if null }), "refused") # { for k, v in { a = 1 } : k => v if null }
    e187 = try(jsonencode([for x in [1, 2] : x if "true"]), "refused") # [for x in [1, 2] : x if "true"]
    e188 = try(jsonencode([for k, v in ["a"] : k]), "refused") # [for k, v in ["a"] : k]
    e189 = try(jsonencode({ (null) = 1 }), "refused") # { (null) = 1 }
    e190 = try(jsonencode({ (1) = "a" }), "refused") # { (1) = "a" }
    e191 = try(jsonencode("${null}"), "refused") # "${null}"
    e192 = try(jsonencode("${[1]}x"), "refused") # "${[1]}x"
    e193 = try(jsonencode("${{}}x"), "refused") # "${{}}x"
    e194 = try(jsonencode("a${null}b"), "refused") # "a${null}b"
    e195 = try(jsonencode("%{ if null }a%{ endif }b"), "refused") # "%{ if null }a%{ endif }b"
    e196 = try(jsonencode("%{ for x in null }a%{ endfor }b"), "refused") # "%{ for x in null }a%{ endfor }b"
    e197 = try(jsonencode([1, 2].*.x), "refused") # [1, 2].*.x
    e198 = try(jsonencode([{ a = 1 }, { b = 2 }][*].a), "refused") # [{ a = 1 }, { b = 2 }][*].a
    e199 = try(jsonencode(null[*]), "refused") # null[*]
    e200 = try(jsonencode(5[*]), "refused") # 5[*]
    e201 = try(jsonencode({ a = 1 }[*].a), "refused") # { a = 1 }[*].a
    e202 = try(jsonencode("x"[*]), "refused") # "x"[*]
    e203 = try(jsonencode([][*].a), "refused") # [][*].a
    e204 = try(jsonencode(max([]...)), "refused") # max([]...)
    e205 = try(jsonencode(max([1, 2]...)), "refused") # max([1, 2]...)
    e206 = try(jsonencode(merge([{ a = 1 }, { b = 2 }]...)), "refused") # merge([{ a = 1 }, { b = 2 }]...)
    e207 = try(jsonencode(can(tonumber("x"))), "refused") # can(tonumber("x"))
    e208 = try(jsonencode(can({ a = 1 }.a)), "refused") # can({ a = 1 }.a)
    e209 = try(jsonencode(try(null, 1)), "refused") # try(null, 1)
    e210 = try(jsonencode(try(tonumber("x"), null)), "refused") # try(tonumber("x"), null)
    e211 = try(jsonencode(nonsensitive("a")), "refused") # nonsensitive("a")
    e212 = try(jsonencode(upper()), "refused") # upper()
    e213 = try(jsonencode(upper("a", "b")), "refused") # upper("a", "b")
  }
  input = each.value
}
