# Examples: change every one of them.
project = "ward-example"
site    = "example"
