# Examples: change every one of them.
site   = "example"
tenant = "00000000-0000-0000-0000-000000000000"
