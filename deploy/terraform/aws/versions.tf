terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project = "ward"
      site    = var.site
    }
  }
}

# Copies of backups and logs lie in another region.
provider "aws" {
  alias  = "copies"
  region = var.copy_region

  default_tags {
    tags = {
      project = "ward"
      site    = var.site
    }
  }
}
