//! The OpenAPI document: what the handlers say of themselves, and what holds for all of them.

use gambeson_api::{Change, Code, Event, Problem};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::envelope::PROBLEM;
use crate::routes;

const DESCRIPTION: &str = "\
Submit Python, wait fairly, watch, and trust the answer.

Errors are problems (RFC 9457) of the media type `application/problem+json`, with a stable `code` and a remedy. Parameters and \
members that nobody knows are refused, and so are members that stand twice in one object. Every answer has an \
`x-request-id`; quote it to the operator when something of ours failed.";

/// The document of this server.
pub fn openapi() -> OpenApi {
    finished(routes::documented().into_openapi())
}

/// What stands before all routes.
pub(crate) fn preamble() -> OpenApi {
    let mut info = InfoBuilder::new().title("Gambeson").version("1").description(Some(DESCRIPTION)).build();
    info.license = Some(License::new("Apache-2.0"));
    let key = SecurityRequirement::new("key", Vec::<String>::new());
    OpenApiBuilder::new().info(info).security(Some([key])).build()
}

/// With what holds for all operations: their problems, and how to authenticate.
pub(crate) fn finished(mut document: OpenApi) -> OpenApi {
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        let named = path.contains('{');
        for operation in item.get.iter_mut() {
            describe(operation, named, false);
        }
        for operation in [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten() {
            describe(operation, named, true);
        }
        // axum's mark of a parameter with slashes; OpenAPI has none.
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    let mut components = ComponentsBuilder::from(document.components.take().unwrap_or_default());
    for (name, token, whose) in [
        ("key", "gmb_", "A user's key."),
        ("worker", "gmw_", "A worker's credential."),
        ("lease", "gml_", "The token of one lease."),
        ("join", "gmj_", "A token by which one worker enrols, once."),
    ] {
        let description = format!("{whose} `Authorization: Bearer {token}...`");
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        components = components.security_scheme(name, SecurityScheme::Http(bearer.build()));
    }
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    // What comes as server-sent events: OpenAPI 3.1 has no words for them, and clients are made from these schemas.
    for (name, schema) in [(Event::name(), Event::schema()), (Change::name(), Change::schema())] {
        schemas.push((name.into_owned(), schema));
    }
    Event::schemas(&mut schemas);
    Change::schemas(&mut schemas);
    components = components.schemas_from_iter(schemas);
    let mut statuses: Vec<u16> = Code::ALL.iter().map(|code| code.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let of_status = Code::ALL.iter().filter(|code| code.status() == status);
        let codes: Vec<String> = of_status.map(|code| format!("`{code}` ({})", code.title())).collect();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        let response = ResponseBuilder::new().description(codes.join(", ")).content(PROBLEM, content).build();
        components = components.response(component(status), response);
    }
    document.components = Some(components.build());
    document
}

fn component(status: u16) -> String {
    format!("Problem{status}")
}

/// Which problems an operation may answer with, by what it is: `named` if something is named in its path, `writes` if it
/// changes something.
fn describe(operation: &mut Operation, named: bool, writes: bool) {
    let public = operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == "public"));
    let tagged = |name: &str| operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == name));
    let mut statuses = vec![400, 503];
    if !public {
        // Reading is audited too: a full disk stops it.
        statuses.extend([401, 403, 404, 429, 500, 507]);
    }
    if named && (tagged("jobs") || tagged("blobs") || tagged("worker")) {
        statuses.push(410);
    }
    if writes || tagged("worker") {
        statuses.push(409);
    }
    if operation.request_body.is_some() {
        statuses.extend([408, 413, 415]);
    }
    for status in statuses {
        let response = RefOr::Ref(Ref::from_response_name(component(status)));
        operation.responses.responses.insert(status.to_string(), response);
    }
    const BYTES: &str = "application/octet-stream";
    let sent = operation.request_body.iter_mut().filter_map(|body| match body {
        RefOr::T(body) => body.content.get_mut(BYTES),
        RefOr::Ref(_) => None,
    });
    let answered = operation.responses.responses.values_mut().filter_map(|response| match response {
        RefOr::T(response) => response.content.get_mut(BYTES),
        RefOr::Ref(_) => None,
    });
    for content in sent.chain(answered) {
        // utoipa makes an array of numbers of bytes.
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        let schema = ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).build();
        *content = RefOr::T(ContentBuilder::new().schema(Some(schema)).build());
    }
}
