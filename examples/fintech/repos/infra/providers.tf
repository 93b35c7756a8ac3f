terraform {
  required_version = ">= 1.6"
}

provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = {
      owner       = "platform"
      environment = "production"
    }
  }
}
