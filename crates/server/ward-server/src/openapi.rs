//! The OpenAPI document, made from the route table.
//!
//! It is put together by hand: bodies are deterministic CBOR, which JSON Schema cannot describe,
//! so a derive macro would add build time and describe nothing that the table does not say.

use crate::route_table::{Access, Method, ROUTES, RouteSpec};
use serde_json::{Map, Value, json};
use ward_api::{ErrorCode, headers};

/// The document (OpenAPI 3.1.0).
pub fn openapi_document() -> Value {
    let mut paths = Map::new();
    for spec in ROUTES {
        let path = spec.path.replace("{*", "{");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(verb(spec.method).to_owned(), operation(spec));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ward relay",
            "version": "1",
            "description": "Bodies are deterministic CBOR as docs/protocol.md defines them; errors are RFC 9457 problems. Every answer carries DPoP-Nonce and Cache-Control: no-store.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "dpop": {"type": "http", "scheme": "DPoP", "description": "RFC 9449: Authorization: DPoP <access token> and a DPoP proof with ath and nonce"},
                "proof": {"type": "apiKey", "in": "header", "name": "DPoP", "description": "RFC 9449: a DPoP proof with nonce, without a token"},
            },
            "schemas": {"Problem": problem_schema()},
            "responses": {"Problem": {
                "description": "A refusal",
                "content": {headers::MEDIA_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
        },
        "x-ward-codes": ErrorCode::ALL.iter().map(|code| json!({
            "code": code.to_string(), "status": code.status(), "title": code.title(),
        })).collect::<Vec<_>>(),
    })
}

/// The document as it is served and kept in the repository.
pub fn openapi_text() -> String {
    let mut text = serde_json::to_string_pretty(&openapi_document()).unwrap_or_default();
    text.push('\n');
    text
}

const fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Delete => "delete",
    }
}

fn operation(spec: &RouteSpec) -> Value {
    let mut success = Map::new();
    success.insert("description".to_owned(), spec.summary.into());
    if let Some(media) = spec.gives {
        success.insert("content".to_owned(), json!({media: {}}));
    }
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), format!("{:?}", spec.route).into());
    operation.insert("summary".to_owned(), spec.summary.into());
    operation.insert("x-ward-access".to_owned(), format!("{:?}", spec.access).into());
    operation.insert("parameters".to_owned(), parameters(spec).into());
    let responses =
        json!({spec.success.to_string(): success, "default": {"$ref": "#/components/responses/Problem"}});
    operation.insert("responses".to_owned(), responses);
    if let Some(media) = spec.takes {
        let body = json!({"required": true, "content": {media: {}}, "x-max-bytes": spec.body_max_bytes});
        operation.insert("requestBody".to_owned(), body);
    }
    let security = match spec.access {
        Access::Anybody | Access::Probe => None,
        Access::Possession => Some(json!([{"proof": []}])),
        Access::Device | Access::Staff | Access::Cosigner | Access::Member => Some(json!([{"dpop": []}])),
    };
    operation.extend(security.map(|security| ("security".to_owned(), security)));
    operation.into()
}

fn parameters(spec: &RouteSpec) -> Vec<Value> {
    let in_path = spec.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}})
    });
    let in_query = spec.query.iter().map(|(name, required)| {
        json!({"name": name, "in": "query", "required": required, "schema": {"type": "integer", "minimum": 0}})
    });
    in_path.chain(in_query).collect()
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "title", "status", "detail", "who"],
        "properties": {
            "code": {"type": "string", "pattern": "^WARD-[0-9]{4}$"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "who": {"enum": ["person", "app", "operator", "server"]},
            "size": {"type": "integer"},
            "epoch": {"type": "integer"},
            "expect": {"type": "integer"},
            "entry_id": {"type": "string"},
            "seq": {"type": "integer"},
            "policy": {"type": "integer"},
            "until": {"type": "integer"},
            "retry_after_s": {"type": "integer"},
            "limit": {"type": "integer"},
            "used": {"type": "integer"},
            "request_id": {"type": "string"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document as reviewed. Set WARD_BLESS=1 to write it anew, then review the difference.
    #[test]
    fn the_document_is_the_reviewed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/openapi.json");
        if std::env::var_os("WARD_BLESS").is_some() {
            std::fs::write(path, openapi_text()).unwrap();
        }
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            reviewed == openapi_text(),
            "docs/openapi.json differs from the route table: run this test with WARD_BLESS=1"
        );
    }
}
