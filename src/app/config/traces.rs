//! What the settings say of traces.

use std::str::FromStr as _;

use anyhow::{Context as _, ensure};
use axum::http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;
use uuid::Uuid;

use super::Settings;
use crate::store::traces::{Options, Share};

/// The share of traces that production records, unless it is said otherwise.
const IN_PRODUCTION: f64 = 0.1;

impl Settings {
    /// Where traces go; none where nobody says so.
    ///
    /// # Errors
    /// One clear line for the first setting that can't be used. It shows no header.
    pub fn traces(&self) -> anyhow::Result<Option<Options>> {
        let share = if self.is_production() {
            IN_PRODUCTION
        } else {
            1.0
        };
        let share = Share::of(self.traces_sampled.unwrap_or(share))
            .context("STAYGATE_TRACES_SAMPLED must be from 0 (no traces) to 1 (all)")?;
        let headers = pairs(self.otel_exporter_otlp_headers.as_deref()).filter(|headers| {
            headers.iter().all(|(name, value)| {
                HeaderName::from_str(name).is_ok() && HeaderValue::from_str(value).is_ok()
            })
        });
        let headers = headers.context(
            "OTEL_EXPORTER_OTLP_HEADERS must be headers such as name=value,other=value, their values percent-encoded",
        )?;
        let more = pairs(self.otel_resource_attributes.as_deref()).context(
            "OTEL_RESOURCE_ATTRIBUTES must be such as name=value,other=value, the values percent-encoded",
        )?;
        let Some(base) = &self.otel_exporter_otlp_endpoint else {
            return Ok(None);
        };
        let endpoint = endpoint(base).context(
            "OTEL_EXPORTER_OTLP_ENDPOINT must be where a collector takes OTLP by HTTP, without /v1/traces and without a password, such as http://127.0.0.1:4318",
        )?;
        ensure!(
            !self.otel_service_name.is_empty(),
            "OTEL_SERVICE_NAME must be a name"
        );
        let environment = if self.is_production() {
            "production"
        } else {
            "development"
        };
        let mut resource: Vec<(String, String)> = [
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id", Uuid::new_v4().to_string()),
            ("deployment.environment.name", environment.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        // What comes later counts; the name has a setting of its own.
        resource.extend(more);
        resource.push(("service.name".to_owned(), self.otel_service_name.clone()));
        Ok(Some(Options {
            endpoint,
            headers: headers.into_iter().collect(),
            share,
            resource,
        }))
    }
}

/// Where traces are taken below a base.
fn endpoint(base: &str) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return None;
    }
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["v1", "traces"]);
    Some(url)
}

/// Names and values as the specification of OpenTelemetry writes them (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables>).
fn pairs(text: Option<&str>) -> Option<Vec<(String, String)>> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_base_to_which_the_path_is_added() {
        for (base, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://otlp.example.com/otlp",
                "https://otlp.example.com/otlp/v1/traces",
            ),
        ] {
            let endpoint = endpoint(base).expect("an endpoint");
            assert_eq!(endpoint.as_str(), expected);
        }
        for bad in [
            "",
            "127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "http://me:secret@otlp.example.com",
            "http://otlp.example.com?key=secret",
        ] {
            assert_eq!(endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn pairs_are_read_as_they_are_written_elsewhere() {
        let read = pairs(Some(" a=1, b = x%20y=z,,"));
        let expected = [("a", "1"), ("b", "x y=z")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read, Some(expected.into()));
        assert_eq!(pairs(None), Some(vec![]));
        for bad in ["a", "=1", "a=%ff"] {
            assert_eq!(pairs(Some(bad)), None, "{bad}");
        }
    }
}
