//! Which calls of AWS change which resources, and under which parameter they name them; one line a type.

/// How a type's resources are named in calls.
pub struct AwsTarget {
    source: &'static str,
    /// Parts of the names of calls that change such a resource.
    calls: &'static [&'static str],
    /// Parameters that name it.
    pub keys: &'static [&'static str],
}

impl AwsTarget {
    /// Whether a call to this source with this name changes such a resource.
    pub fn is_changed_by(&self, source: &str, name: &str) -> bool {
        self.source == source && self.calls.iter().any(|part| name.contains(part))
    }
}

type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const EC2: &str = "ec2.amazonaws.com";
const ELB: &str = "elasticloadbalancing.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";
const RDS: &str = "rds.amazonaws.com";
const S3: &str = "s3.amazonaws.com";

/// Type, source, parts of the calls' names, parameters.
const TARGETS: &[Row] = &[
    ("aws_security_group", EC2, &["SecurityGroup"], &["groupId"]),
    ("aws_default_security_group", EC2, &["SecurityGroup"], &["groupId"]),
    (
        "aws_security_group_rule",
        EC2,
        &["SecurityGroup"],
        &["groupId", "securityGroupRuleId"],
    ),
    (
        "aws_vpc_security_group_ingress_rule",
        EC2,
        &["SecurityGroupIngress", "SecurityGroupRules"],
        &["groupId", "securityGroupRuleId"],
    ),
    (
        "aws_vpc_security_group_egress_rule",
        EC2,
        &["SecurityGroupEgress", "SecurityGroupRules"],
        &["groupId", "securityGroupRuleId"],
    ),
    (
        "aws_instance",
        EC2,
        &[
            "ModifyInstance",
            "TerminateInstances",
            "StopInstances",
            "StartInstances",
            "MonitorInstances",
            "IamInstanceProfile",
        ],
        &["instanceId", "InstanceId"],
    ),
    (
        "aws_ebs_volume",
        EC2,
        &["ModifyVolume", "DeleteVolume"],
        &["volumeId", "VolumeId"],
    ),
    (
        "aws_vpc",
        EC2,
        &["ModifyVpcAttribute", "DeleteVpc", "VpcCidrBlock", "ModifyVpcTenancy"],
        &["vpcId"],
    ),
    (
        "aws_subnet",
        EC2,
        &["ModifySubnetAttribute", "DeleteSubnet", "SubnetCidrBlock"],
        &["subnetId"],
    ),
    ("aws_route_table", EC2, &["Route"], &["routeTableId"]),
    ("aws_network_acl", EC2, &["NetworkAcl"], &["networkAclId"]),
    (
        "aws_internet_gateway",
        EC2,
        &["InternetGateway"],
        &["internetGatewayId"],
    ),
    (
        "aws_launch_template",
        EC2,
        &["LaunchTemplate"],
        &[
            "launchTemplateId",
            "launchTemplateName",
            "LaunchTemplateId",
            "LaunchTemplateName",
        ],
    ),
    ("aws_s3_bucket", S3, &["Bucket"], &["bucketName"]),
    ("aws_s3_bucket_acl", S3, &["BucketAcl"], &["bucketName"]),
    (
        "aws_s3_bucket_lifecycle_configuration",
        S3,
        &["BucketLifecycle"],
        &["bucketName"],
    ),
    ("aws_s3_bucket_logging", S3, &["BucketLogging"], &["bucketName"]),
    (
        "aws_s3_bucket_ownership_controls",
        S3,
        &["BucketOwnershipControls"],
        &["bucketName"],
    ),
    ("aws_s3_bucket_policy", S3, &["BucketPolicy"], &["bucketName"]),
    (
        "aws_s3_bucket_public_access_block",
        S3,
        &["PublicAccessBlock"],
        &["bucketName"],
    ),
    (
        "aws_s3_bucket_server_side_encryption_configuration",
        S3,
        &["BucketEncryption"],
        &["bucketName"],
    ),
    ("aws_s3_bucket_versioning", S3, &["BucketVersioning"], &["bucketName"]),
    ("aws_db_instance", RDS, &["DBInstance"], &["dBInstanceIdentifier"]),
    (
        "aws_rds_cluster_instance",
        RDS,
        &["DBInstance"],
        &["dBInstanceIdentifier"],
    ),
    ("aws_rds_cluster", RDS, &["DBCluster"], &["dBClusterIdentifier"]),
    (
        "aws_db_parameter_group",
        RDS,
        &["DBParameterGroup"],
        &["dBParameterGroupName"],
    ),
    ("aws_db_subnet_group", RDS, &["DBSubnetGroup"], &["dBSubnetGroupName"]),
    ("aws_iam_role", IAM, &["Role"], &["roleName"]),
    ("aws_iam_user", IAM, &["User"], &["userName"]),
    ("aws_iam_group", IAM, &["Group"], &["groupName"]),
    (
        "aws_iam_policy",
        IAM,
        &["PolicyVersion", "DeletePolicy", "TagPolicy"],
        &["policyArn"],
    ),
    ("aws_iam_access_key", IAM, &["AccessKey"], &["accessKeyId"]),
    ("aws_kms_key", "kms.amazonaws.com", &["Key"], &["keyId"]),
    (
        "aws_lambda_function",
        "lambda.amazonaws.com",
        &["Function"],
        &["functionName"],
    ),
    (
        "aws_lb",
        ELB,
        &["LoadBalancer", "SecurityGroups", "Subnets"],
        &["loadBalancerArn"],
    ),
    (
        "aws_alb",
        ELB,
        &["LoadBalancer", "SecurityGroups", "Subnets"],
        &["loadBalancerArn"],
    ),
    ("aws_lb_listener", ELB, &["Listener"], &["listenerArn"]),
    ("aws_lb_target_group", ELB, &["TargetGroup"], &["targetGroupArn"]),
    (
        "aws_dynamodb_table",
        "dynamodb.amazonaws.com",
        &["Table", "ContinuousBackups", "TimeToLive"],
        &["tableName"],
    ),
    ("aws_sqs_queue", "sqs.amazonaws.com", &["Queue"], &["queueUrl"]),
    ("aws_sns_topic", "sns.amazonaws.com", &["Topic"], &["topicArn"]),
    (
        "aws_cloudtrail",
        "cloudtrail.amazonaws.com",
        &["Trail", "Logging", "EventSelectors"],
        &["name", "trailName"],
    ),
    (
        "aws_cloudwatch_log_group",
        "logs.amazonaws.com",
        &["LogGroup", "RetentionPolicy", "KmsKey"],
        &["logGroupName"],
    ),
    ("aws_eks_cluster", "eks.amazonaws.com", &["Cluster"], &["name"]),
    (
        "aws_ecr_repository",
        "ecr.amazonaws.com",
        &["Repository", "ImageTagMutability", "ImageScanning"],
        &["repositoryName"],
    ),
    (
        "aws_secretsmanager_secret",
        "secretsmanager.amazonaws.com",
        &["Secret", "ResourcePolicy"],
        &["secretId"],
    ),
    (
        "aws_opensearch_domain",
        "es.amazonaws.com",
        &["Domain"],
        &["domainName"],
    ),
    (
        "aws_elasticache_replication_group",
        "elasticache.amazonaws.com",
        &["ReplicationGroup"],
        &["replicationGroupId"],
    ),
    (
        "aws_cloudfront_distribution",
        "cloudfront.amazonaws.com",
        &["Distribution"],
        &["id"],
    ),
];

/// How a type's resources are named; `None` for a type that isn't known.
pub fn of(resource_type: &str) -> Option<AwsTarget> {
    let row = TARGETS.iter().find(|(kind, ..)| *kind == resource_type)?;
    let (_, source, calls, keys) = *row;
    Some(AwsTarget { source, calls, keys })
}

/// Whether a parameter of this name may name a resource.
pub fn is_id_key(key: &str) -> bool {
    TARGETS.iter().any(|(.., keys)| keys.contains(&key))
}

/// Beginnings of the names of calls that change nothing, for records that don't say so themselves.
const READING: [&str; 12] = [
    "AssumeRole",
    "BatchGet",
    "Decrypt",
    "Describe",
    "Encrypt",
    "GenerateDataKey",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Reboot",
    "Select",
];

/// Whether a call only reads or uses.
pub fn only_reads(name: &str) -> bool {
    READING.iter().any(|beginning| name.starts_with(beginning))
}
