# Examples: change every one of them.
site          = "example"
account       = "111122223333"
image         = "ami-00000000000000000"
alert_address = "security@example.org"
