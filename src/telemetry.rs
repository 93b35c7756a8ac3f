//! Logs on stderr, and spans to an OpenTelemetry collector where one is named.

use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Where spans go (OpenTelemetry specification, "Environment Variable Specification"): without either, nowhere.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// A collector that doesn't answer must not hold up the end of a run.
const EXPORT: Duration = Duration::from_secs(5);
/// What is exported: our own spans, not those of libraries.
const SPANS: &str = "holdpoint=info,holdpoint_runner=info";

/// What has to be flushed at the end.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Starts logging as `HOLDPOINT_LOG` says, and exporting where a collector is named.
    pub fn start() -> Self {
        let filter = EnvFilter::try_from_env("HOLDPOINT_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
        let logs = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_filter(filter);
        let named = ENDPOINTS
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        let provider = if named {
            match provider() {
                Ok(provider) => Some(provider),
                Err(error) => {
                    eprintln!("warning: no spans are exported: {error:#}");
                    None
                }
            }
        } else {
            None
        };
        let spans = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("holdpoint"))
                .with_filter(EnvFilter::new(SPANS))
        });
        tracing_subscriber::registry().with(logs).with(spans).init();
        Self(provider)
    }

    /// Sends what is left, within a bound.
    pub fn finish(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(EXPORT)
        {
            eprintln!("warning: not all spans reached the collector: {error}");
        }
    }
}

fn provider() -> Result<SdkTracerProvider> {
    // The exporter's blocking client can't be made where an async runtime runs.
    let exporter = std::thread::spawn(|| {
        SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT)
            .build()
    })
    .join()
    .map_err(|_| anyhow::anyhow!("the exporter's thread broke off"))?
    .context("making the exporter")?;
    let resource = Resource::builder().with_service_name("holdpoint").build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}
