//! Settings whose safe direction is known, one line each.

use serde_json::{Map, Value};

/// Which way a setting is safer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safer {
    /// On.
    True,
    /// Off.
    False,
    /// A greater number: days of retention, length of passwords.
    Higher,
    /// Further along these words.
    Later(&'static [&'static str]),
    /// There rather than absent: a key, a target for logs.
    Present,
    /// Fewer addresses, above all not the whole world.
    FewerAddresses,
    /// Fewer rules that let in.
    FewerRules,
}

use Safer::{False, FewerAddresses, FewerRules, Higher, Later, Present, True};

const TLS: Safer = Later(&[
    "SSLv3",
    "TLSv1",
    "TLSv1_2016",
    "TLSv1.1_2016",
    "TLSv1.2_2018",
    "TLSv1.2_2019",
    "TLSv1.2_2021",
]);
const TLS_UNDERSCORED: Safer = Later(&["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"]);
const TLS_DOTTED: Safer = Later(&["1.0", "1.1", "1.2", "1.3"]);
const TLS_GOOGLE: Safer = Later(&["TLS_1_0", "TLS_1_1", "TLS_1_2"]);
const TLS_AWS_DOMAIN: Safer = Later(&["TLS_1_0", "TLS_1_2", "TLS_1_3"]);
const OPENSEARCH_TLS: Safer = Later(&[
    "Policy-Min-TLS-1-0-2019-07",
    "Policy-Min-TLS-1-2-2019-07",
    "Policy-Min-TLS-1-2-PFS-2023-10",
]);
const OFF_ON: Safer = Later(&["Disabled", "Suspended", "Enabled"]);
const ALLOW_DENY: Safer = Later(&["Allow", "Deny"]);
const OPTIONAL_REQUIRED: Safer = Later(&["optional", "required"]);
const CANNED_ACL: Safer = Later(&["public-read-write", "public-read", "authenticated-read", "private"]);
const BLOB_ACCESS: Safer = Later(&["container", "blob", "private"]);
const VIEWER_PROTOCOL: Safer = Later(&["allow-all", "redirect-to-https", "https-only"]);
const PUBLIC_PREVENTION: Safer = Later(&["inherited", "enforced"]);
const SQL_SSL: Safer = Later(&[
    "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
    "ENCRYPTED_ONLY",
    "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
]);

/// Beginning of the type, path of the setting (places in lists left out), safe direction.
const SETTINGS: &[(&str, &str, Safer)] = &[
    // Public access.
    ("aws_s3_", "block_public_acls", True),
    ("aws_s3_", "block_public_policy", True),
    ("aws_s3_", "ignore_public_acls", True),
    ("aws_s3_", "restrict_public_buckets", True),
    ("aws_s3_bucket", "acl", CANNED_ACL),
    ("aws_db_", "publicly_accessible", False),
    ("aws_rds_", "publicly_accessible", False),
    ("aws_redshift_", "publicly_accessible", False),
    ("aws_dms_", "publicly_accessible", False),
    ("aws_docdb", "publicly_accessible", False),
    ("aws_neptune", "publicly_accessible", False),
    ("aws_mq_broker", "publicly_accessible", False),
    ("aws_instance", "associate_public_ip_address", False),
    ("aws_subnet", "map_public_ip_on_launch", False),
    ("aws_eks_cluster", "vpc_config.endpoint_public_access", False),
    ("aws_eks_cluster", "vpc_config.public_access_cidrs", FewerAddresses),
    ("aws_lb", "internal", True),
    ("azurerm_", "public_network_access_enabled", False),
    ("azurerm_storage_account", "allow_nested_items_to_be_public", False),
    ("azurerm_storage_account", "shared_access_key_enabled", False),
    ("azurerm_storage_account", "network_rules.default_action", ALLOW_DENY),
    ("azurerm_storage_account", "network_rules.ip_rules", FewerAddresses),
    ("azurerm_storage_container", "container_access_type", BLOB_ACCESS),
    ("azurerm_key_vault", "network_acls.default_action", ALLOW_DENY),
    ("azurerm_container_registry", "admin_enabled", False),
    ("azurerm_container_registry", "anonymous_pull_enabled", False),
    ("google_storage_bucket", "public_access_prevention", PUBLIC_PREVENTION),
    ("google_storage_bucket", "uniform_bucket_level_access", True),
    (
        "google_sql_database_instance",
        "settings.ip_configuration.ipv4_enabled",
        False,
    ),
    (
        "google_sql_database_instance",
        "settings.ip_configuration.authorized_networks.value",
        FewerAddresses,
    ),
    (
        "google_container_cluster",
        "private_cluster_config.enable_private_nodes",
        True,
    ),
    (
        "google_container_cluster",
        "private_cluster_config.enable_private_endpoint",
        True,
    ),
    // Networks.
    ("aws_security_group", "ingress", FewerRules),
    ("aws_security_group", "egress", FewerRules),
    ("aws_default_security_group", "ingress", FewerRules),
    ("aws_default_security_group", "egress", FewerRules),
    ("aws_network_acl", "ingress", FewerRules),
    ("aws_security_group_rule", "cidr_blocks", FewerAddresses),
    ("aws_security_group_rule", "ipv6_cidr_blocks", FewerAddresses),
    ("aws_vpc_security_group_ingress_rule", "cidr_ipv4", FewerAddresses),
    ("aws_vpc_security_group_ingress_rule", "cidr_ipv6", FewerAddresses),
    ("google_compute_firewall", "source_ranges", FewerAddresses),
    ("google_compute_firewall", "disabled", True),
    ("azurerm_network_security_group", "security_rule", FewerRules),
    ("azurerm_network_security_rule", "source_address_prefix", FewerAddresses),
    (
        "azurerm_network_security_rule",
        "source_address_prefixes",
        FewerAddresses,
    ),
    ("azurerm_network_security_rule", "access", ALLOW_DENY),
    // Encryption.
    ("aws_db_", "storage_encrypted", True),
    ("aws_rds_", "storage_encrypted", True),
    ("aws_docdb", "storage_encrypted", True),
    ("aws_neptune", "storage_encrypted", True),
    ("aws_ebs_", "encrypted", True),
    ("aws_efs_", "encrypted", True),
    ("aws_redshift_", "encrypted", True),
    ("aws_instance", "root_block_device.encrypted", True),
    ("aws_ebs_encryption_by_default", "enabled", True),
    ("aws_elasticache_", "at_rest_encryption_enabled", True),
    ("aws_elasticache_", "transit_encryption_enabled", True),
    ("aws_opensearch_domain", "encrypt_at_rest.enabled", True),
    ("aws_opensearch_domain", "node_to_node_encryption.enabled", True),
    ("aws_dynamodb_table", "server_side_encryption.enabled", True),
    (
        "aws_s3_bucket",
        "server_side_encryption_configuration.rule.apply_server_side_encryption_by_default.sse_algorithm",
        Present,
    ),
    ("aws_sns_topic", "kms_master_key_id", Present),
    ("aws_sqs_queue", "kms_master_key_id", Present),
    ("aws_sqs_queue", "sqs_managed_sse_enabled", True),
    ("aws_cloudwatch_log_group", "kms_key_id", Present),
    ("aws_cloudtrail", "kms_key_id", Present),
    ("aws_kms_key", "enable_key_rotation", True),
    ("google_compute_", "disk_encryption_key.kms_key_self_link", Present),
    ("azurerm_", "infrastructure_encryption_enabled", True),
    // Transport.
    (
        "aws_cloudfront_distribution",
        "viewer_certificate.minimum_protocol_version",
        TLS,
    ),
    (
        "aws_cloudfront_distribution",
        "default_cache_behavior.viewer_protocol_policy",
        VIEWER_PROTOCOL,
    ),
    ("aws_api_gateway_domain_name", "security_policy", TLS_AWS_DOMAIN),
    (
        "aws_apigatewayv2_domain_name",
        "domain_name_configuration.security_policy",
        TLS_AWS_DOMAIN,
    ),
    ("aws_opensearch_domain", "domain_endpoint_options.enforce_https", True),
    (
        "aws_opensearch_domain",
        "domain_endpoint_options.tls_security_policy",
        OPENSEARCH_TLS,
    ),
    ("azurerm_storage_account", "min_tls_version", TLS_UNDERSCORED),
    ("azurerm_storage_account", "https_traffic_only_enabled", True),
    ("azurerm_storage_account", "enable_https_traffic_only", True),
    ("azurerm_redis_cache", "minimum_tls_version", TLS_DOTTED),
    ("azurerm_redis_cache", "non_ssl_port_enabled", False),
    ("azurerm_redis_cache", "enable_non_ssl_port", False),
    ("azurerm_mssql_server", "minimum_tls_version", TLS_DOTTED),
    ("azurerm_", "ssl_enforcement_enabled", True),
    ("azurerm_", "https_only", True),
    ("azurerm_", "site_config.minimum_tls_version", TLS_DOTTED),
    ("azurerm_", "site_config.min_tls_version", TLS_DOTTED),
    ("google_compute_ssl_policy", "min_tls_version", TLS_GOOGLE),
    (
        "google_sql_database_instance",
        "settings.ip_configuration.require_ssl",
        True,
    ),
    (
        "google_sql_database_instance",
        "settings.ip_configuration.ssl_mode",
        SQL_SSL,
    ),
    // Deletion and recovery.
    ("", "deletion_protection", True),
    ("", "deletion_protection_enabled", True),
    ("", "enable_deletion_protection", True),
    ("aws_instance", "disable_api_termination", True),
    ("aws_db_", "backup_retention_period", Higher),
    ("aws_rds_", "backup_retention_period", Higher),
    ("aws_dynamodb_table", "point_in_time_recovery.enabled", True),
    ("aws_s3_bucket", "versioning.enabled", True),
    ("aws_s3_bucket", "versioning.mfa_delete", True),
    ("aws_s3_bucket_versioning", "versioning_configuration.status", OFF_ON),
    ("google_storage_bucket", "versioning.enabled", True),
    (
        "google_sql_database_instance",
        "settings.backup_configuration.enabled",
        True,
    ),
    ("azurerm_key_vault", "purge_protection_enabled", True),
    ("azurerm_key_vault", "soft_delete_retention_days", Higher),
    ("azurerm_storage_account", "blob_properties.versioning_enabled", True),
    (
        "azurerm_storage_account",
        "blob_properties.delete_retention_policy.days",
        Higher,
    ),
    // Logs.
    ("aws_s3_bucket", "logging.target_bucket", Present),
    ("aws_s3_bucket_logging", "target_bucket", Present),
    ("aws_cloudtrail", "enable_logging", True),
    ("aws_cloudtrail", "enable_log_file_validation", True),
    ("aws_cloudtrail", "is_multi_region_trail", True),
    ("aws_cloudtrail", "include_global_service_events", True),
    ("aws_lb", "access_logs.enabled", True),
    ("aws_api_gateway_stage", "xray_tracing_enabled", True),
    ("aws_guardduty_detector", "enable", True),
    ("aws_eks_cluster", "enabled_cluster_log_types", Present),
    // Machines and identities.
    ("aws_instance", "metadata_options.http_tokens", OPTIONAL_REQUIRED),
    ("aws_launch_template", "metadata_options.http_tokens", OPTIONAL_REQUIRED),
    ("aws_lb", "drop_invalid_header_fields", True),
    ("aws_db_instance", "iam_database_authentication_enabled", True),
    ("aws_rds_cluster", "iam_database_authentication_enabled", True),
    ("aws_db_instance", "auto_minor_version_upgrade", True),
    ("aws_ecr_repository", "image_scanning_configuration.scan_on_push", True),
    (
        "aws_ecr_repository",
        "image_tag_mutability",
        Later(&["MUTABLE", "IMMUTABLE"]),
    ),
    ("aws_ecs_task_definition", "container_definitions.privileged", False),
    ("aws_iam_account_password_policy", "minimum_password_length", Higher),
    ("aws_iam_account_password_policy", "password_reuse_prevention", Higher),
    ("aws_iam_account_password_policy", "require_symbols", True),
    ("aws_iam_account_password_policy", "require_numbers", True),
    ("azurerm_linux_virtual_machine", "disable_password_authentication", True),
    ("azurerm_kubernetes_cluster", "local_account_disabled", True),
    ("azurerm_kubernetes_cluster", "role_based_access_control_enabled", True),
    ("google_compute_instance", "can_ip_forward", False),
    (
        "google_compute_instance",
        "shielded_instance_config.enable_secure_boot",
        True,
    ),
    ("google_container_cluster", "enable_legacy_abac", False),
    ("google_container_cluster", "enable_shielded_nodes", True),
];

/// The safe direction of a setting, where it is known.
pub fn safe_direction(resource_type: &str, path: &str) -> Option<Safer> {
    SETTINGS
        .iter()
        .find(|(prefix, setting, _)| *setting == path && resource_type.starts_with(prefix))
        .map(|(.., safer)| *safer)
}

/// Whether a rule or address names the whole world.
pub fn is_open(entry: &str) -> bool {
    let address = entry.rsplit(' ').next().unwrap_or(entry);
    matches!(address, "0.0.0.0/0" | "::/0" | "*" | "Internet" | "0.0.0.0")
}

/// Types that do nothing but give access.
const GRANTS: [&str; 14] = [
    "aws_iam_access_key",
    "aws_iam_group_membership",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachment",
    "aws_iam_user",
    "aws_iam_user_group_membership",
    "aws_iam_user_policy_attachment",
    "aws_lambda_permission",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
    "azurerm_role_assignment",
    "google_project_iam_member",
    "google_storage_bucket_iam_member",
];

/// Whether a resource with these values gives access, so that it is safer without it.
pub fn grants_access(resource_type: &str, values: &Map<String, Value>) -> bool {
    let word = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    match resource_type {
        "aws_security_group_rule" => true,
        "azurerm_network_security_rule" => word("access") == "Allow" && word("direction") == "Inbound",
        "google_compute_firewall" => {
            let allows = values.get("allow").and_then(Value::as_array);
            allows.is_some_and(|allows| !allows.is_empty())
        }
        other => GRANTS.contains(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_is_named_twice_for_one_type() {
        for (index, (prefix, path, _)) in SETTINGS.iter().enumerate() {
            let twice = SETTINGS
                .iter()
                .skip(index + 1)
                .any(|(p, other, _)| p == prefix && other == path);
            assert!(!twice, "{prefix} {path}");
        }
    }

    #[test]
    fn the_whole_world_is_known_in_rules_and_addresses() {
        for open in ["0.0.0.0/0", "::/0", "from_port=22 0.0.0.0/0", "*", "Internet"] {
            assert!(is_open(open), "{open}");
        }
        for closed in ["10.0.0.0/8", "", "sg-1", "10.0.0.0/0x"] {
            assert!(!is_open(closed), "{closed}");
        }
    }
}
