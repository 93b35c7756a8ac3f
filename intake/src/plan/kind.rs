//! Kinds of resources by what a mistake in them reaches.

/// Why a resource is critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CriticalKind {
    /// Holds data that a service needs: databases, caches with data, file systems, buckets.
    Database,
    /// Says who may do what: identities, roles, policies, keys, secrets.
    Iam,
    /// Says who may reach what: firewalls, security groups, routes, gateways, load balancers, names.
    NetworkBoundary,
}

impl CriticalKind {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Iam => "iam",
            Self::NetworkBoundary => "network-boundary",
        }
    }

    /// By a resource's type, for example `aws_db_instance`; `None` for a type that isn't known to be critical.
    #[must_use]
    pub fn of(resource_type: &str) -> Option<Self> {
        let begins = PREFIXES.iter().find(|(prefix, _)| resource_type.starts_with(prefix));
        let holds = || PARTS.iter().find(|(part, _)| resource_type.contains(part));
        begins.or_else(holds).map(|(_, kind)| *kind)
    }
}

use CriticalKind::{Database, Iam, NetworkBoundary};

/// Beginnings of types; the first that fits counts.
const PREFIXES: &[(&str, CriticalKind)] = &[
    ("aws_db_", Database),
    ("aws_rds_", Database),
    ("aws_dynamodb_", Database),
    ("aws_redshift", Database),
    ("aws_docdb", Database),
    ("aws_neptune", Database),
    ("aws_elasticache_", Database),
    ("aws_memorydb_", Database),
    ("aws_opensearch_", Database),
    ("aws_elasticsearch_", Database),
    ("aws_keyspaces_", Database),
    ("aws_timestream", Database),
    ("aws_msk_", Database),
    ("aws_ebs_volume", Database),
    ("aws_efs_file_system", Database),
    ("aws_fsx_", Database),
    ("aws_backup_vault", Database),
    ("aws_iam_", Iam),
    ("aws_kms_", Iam),
    ("aws_secretsmanager_", Iam),
    ("aws_ssoadmin_", Iam),
    ("aws_identitystore_", Iam),
    ("aws_organizations_", Iam),
    ("aws_cognito_", Iam),
    ("aws_s3_bucket_policy", Iam),
    ("aws_s3_bucket_acl", Iam),
    ("aws_s3_bucket_public_access_block", NetworkBoundary),
    ("aws_s3_account_public_access_block", NetworkBoundary),
    ("aws_s3_bucket", Database),
    ("aws_security_group", NetworkBoundary),
    ("aws_default_security_group", NetworkBoundary),
    ("aws_network_acl", NetworkBoundary),
    ("aws_default_network_acl", NetworkBoundary),
    ("aws_vpc", NetworkBoundary),
    ("aws_subnet", NetworkBoundary),
    ("aws_route", NetworkBoundary),
    ("aws_internet_gateway", NetworkBoundary),
    ("aws_egress_only_internet_gateway", NetworkBoundary),
    ("aws_nat_gateway", NetworkBoundary),
    ("aws_ec2_transit_gateway", NetworkBoundary),
    ("aws_networkfirewall_", NetworkBoundary),
    ("aws_waf", NetworkBoundary),
    ("aws_lb", NetworkBoundary),
    ("aws_alb", NetworkBoundary),
    ("aws_elb", NetworkBoundary),
    ("aws_cloudfront_", NetworkBoundary),
    ("aws_api_gateway_", NetworkBoundary),
    ("aws_apigatewayv2_", NetworkBoundary),
    ("google_service_account", Iam),
    ("google_kms_", Iam),
    ("google_secret_manager_", Iam),
    ("google_sql_", Database),
    ("google_spanner_", Database),
    ("google_bigtable_", Database),
    ("google_bigquery_", Database),
    ("google_firestore_", Database),
    ("google_redis_", Database),
    ("google_alloydb_", Database),
    ("google_filestore_", Database),
    ("google_compute_disk", Database),
    ("google_compute_network", NetworkBoundary),
    ("google_compute_subnetwork", NetworkBoundary),
    ("google_compute_route", NetworkBoundary),
    ("google_compute_security_policy", NetworkBoundary),
    ("google_compute_vpn_", NetworkBoundary),
    ("google_dns_", NetworkBoundary),
    ("google_vpc_access_", NetworkBoundary),
    ("azuread_", Iam),
    ("azurerm_role_", Iam),
    ("azurerm_user_assigned_identity", Iam),
    ("azurerm_federated_identity_credential", Iam),
    ("azurerm_key_vault", Iam),
    ("azurerm_cosmosdb_", Database),
    ("azurerm_mariadb_", Database),
    ("azurerm_redis_", Database),
    ("azurerm_storage_account_network_rules", NetworkBoundary),
    ("azurerm_storage_", Database),
    ("azurerm_managed_disk", Database),
    ("azurerm_kusto_", Database),
    ("azurerm_network_security_", NetworkBoundary),
    ("azurerm_virtual_network", NetworkBoundary),
    ("azurerm_subnet", NetworkBoundary),
    ("azurerm_route", NetworkBoundary),
    ("azurerm_private_endpoint", NetworkBoundary),
    ("azurerm_public_ip", NetworkBoundary),
    ("azurerm_application_gateway", NetworkBoundary),
    ("azurerm_lb", NetworkBoundary),
    ("azurerm_frontdoor", NetworkBoundary),
    ("azurerm_dns_", NetworkBoundary),
    ("kubernetes_network_policy", NetworkBoundary),
    ("kubernetes_ingress", NetworkBoundary),
    ("kubernetes_role", Iam),
    ("kubernetes_cluster_role", Iam),
    ("kubernetes_service_account", Iam),
    ("kubernetes_secret", Iam),
    ("kubernetes_persistent_volume", Database),
    ("kubernetes_stateful_set", Database),
    ("vault_", Iam),
    ("cloudflare_record", NetworkBoundary),
    ("cloudflare_dns_record", NetworkBoundary),
];

/// Parts of types of any provider.
const PARTS: &[(&str, CriticalKind)] = &[
    ("_iam_", Iam),
    ("firewall", NetworkBoundary),
    ("security_group", NetworkBoundary),
    ("access_policy", Iam),
    ("mssql", Database),
    ("mysql", Database),
    ("postgres", Database),
    ("mongodb", Database),
    ("database", Database),
    ("_sql_", Database),
    ("_storage_bucket", Database),
];
