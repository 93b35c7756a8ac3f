# Attached by hand to the old merchant portal's load balancer, which isn't in Terraform.
resource "aws_wafv2_rule_group" "legacy_sqli_shield" {
  name     = "legacy-sqli-shield"
  scope    = "REGIONAL"
  capacity = 40

  rule {
    name     = "block-sqli-in-query"
    priority = 1

    action {
      block {}
    }

    statement {
      sqli_match_statement {
        field_to_match {
          query_string {}
        }
        text_transformation {
          priority = 0
          type     = "URL_DECODE"
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "legacy-sqli-shield-query"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = false
    metric_name                = "legacy-sqli-shield"
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl" "edge" {
  name  = "edge"
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "edge"
    sampled_requests_enabled   = true
  }
}
