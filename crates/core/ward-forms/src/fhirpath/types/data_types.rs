//! FHIR's complex data types.
//!
//! Source: FHIR R4 §2.24.0.

use super::primitives::{
    BASE64_BINARY, BOOLEAN, CANONICAL, CODE, DATE, DATE_TIME, DECIMAL, ELEMENT, ID, INSTANT, INTEGER,
    MARKDOWN, OID, POSITIVE_INT, STRING, TIME, UNSIGNED_INT, URI, URL, UUID, XHTML,
};
use super::{Type, choice, complex, field};

/// Every data type that a member of variable type may have.
pub(in crate::fhirpath) static DATA_TYPES: &[&Type] = &[
    &BOOLEAN,
    &INTEGER,
    &POSITIVE_INT,
    &UNSIGNED_INT,
    &DECIMAL,
    &STRING,
    &CODE,
    &ID,
    &MARKDOWN,
    &URI,
    &URL,
    &CANONICAL,
    &OID,
    &UUID,
    &BASE64_BINARY,
    &XHTML,
    &DATE,
    &DATE_TIME,
    &INSTANT,
    &TIME,
    &EXTENSION,
    &CODING,
    &CODEABLE_CONCEPT,
    &QUANTITY,
    &AGE,
    &COUNT,
    &DISTANCE,
    &DURATION,
    &MONEY,
    &RANGE,
    &RATIO,
    &PERIOD,
    &SAMPLED_DATA,
    &IDENTIFIER,
    &REFERENCE,
    &HUMAN_NAME,
    &ADDRESS,
    &CONTACT_POINT,
    &ATTACHMENT,
    &ANNOTATION,
    &SIGNATURE,
    &NARRATIVE,
    &META,
    &CONTACT_DETAIL,
    &USAGE_CONTEXT,
    &RELATED_ARTIFACT,
    &EXPRESSION,
    &TIMING,
    &DOSAGE,
];

pub(in crate::fhirpath) static EXTENSION: Type =
    complex("Extension", &ELEMENT, &[field("url", &URI), choice("value")]);
pub(in crate::fhirpath) static CODING: Type = complex(
    "Coding",
    &ELEMENT,
    &[
        field("system", &URI),
        field("version", &STRING),
        field("code", &CODE),
        field("display", &STRING),
        field("userSelected", &BOOLEAN),
    ],
);
pub(in crate::fhirpath) static CODEABLE_CONCEPT: Type =
    complex("CodeableConcept", &ELEMENT, &[field("coding", &CODING), field("text", &STRING)]);
pub(in crate::fhirpath) static QUANTITY: Type = complex(
    "Quantity",
    &ELEMENT,
    &[
        field("value", &DECIMAL),
        field("comparator", &CODE),
        field("unit", &STRING),
        field("system", &URI),
        field("code", &CODE),
    ],
);
pub(in crate::fhirpath) static AGE: Type = complex("Age", &QUANTITY, &[]);
pub(in crate::fhirpath) static COUNT: Type = complex("Count", &QUANTITY, &[]);
pub(in crate::fhirpath) static DISTANCE: Type = complex("Distance", &QUANTITY, &[]);
pub(in crate::fhirpath) static DURATION: Type = complex("Duration", &QUANTITY, &[]);
pub(in crate::fhirpath) static MONEY: Type =
    complex("Money", &ELEMENT, &[field("value", &DECIMAL), field("currency", &CODE)]);
pub(in crate::fhirpath) static RANGE: Type =
    complex("Range", &ELEMENT, &[field("low", &QUANTITY), field("high", &QUANTITY)]);
pub(in crate::fhirpath) static RATIO: Type =
    complex("Ratio", &ELEMENT, &[field("numerator", &QUANTITY), field("denominator", &QUANTITY)]);
pub(in crate::fhirpath) static PERIOD: Type =
    complex("Period", &ELEMENT, &[field("start", &DATE_TIME), field("end", &DATE_TIME)]);
pub(in crate::fhirpath) static SAMPLED_DATA: Type = complex(
    "SampledData",
    &ELEMENT,
    &[
        field("origin", &QUANTITY),
        field("period", &DECIMAL),
        field("factor", &DECIMAL),
        field("lowerLimit", &DECIMAL),
        field("upperLimit", &DECIMAL),
        field("dimensions", &POSITIVE_INT),
        field("data", &STRING),
    ],
);
pub(in crate::fhirpath) static IDENTIFIER: Type = complex(
    "Identifier",
    &ELEMENT,
    &[
        field("use", &CODE),
        field("type", &CODEABLE_CONCEPT),
        field("system", &URI),
        field("value", &STRING),
        field("period", &PERIOD),
        field("assigner", &REFERENCE),
    ],
);
pub(in crate::fhirpath) static REFERENCE: Type = complex(
    "Reference",
    &ELEMENT,
    &[
        field("reference", &STRING),
        field("type", &URI),
        field("identifier", &IDENTIFIER),
        field("display", &STRING),
    ],
);
pub(in crate::fhirpath) static HUMAN_NAME: Type = complex(
    "HumanName",
    &ELEMENT,
    &[
        field("use", &CODE),
        field("text", &STRING),
        field("family", &STRING),
        field("given", &STRING),
        field("prefix", &STRING),
        field("suffix", &STRING),
        field("period", &PERIOD),
    ],
);
pub(in crate::fhirpath) static ADDRESS: Type = complex(
    "Address",
    &ELEMENT,
    &[
        field("use", &CODE),
        field("type", &CODE),
        field("text", &STRING),
        field("line", &STRING),
        field("city", &STRING),
        field("district", &STRING),
        field("state", &STRING),
        field("postalCode", &STRING),
        field("country", &STRING),
        field("period", &PERIOD),
    ],
);
pub(in crate::fhirpath) static CONTACT_POINT: Type = complex(
    "ContactPoint",
    &ELEMENT,
    &[
        field("system", &CODE),
        field("value", &STRING),
        field("use", &CODE),
        field("rank", &POSITIVE_INT),
        field("period", &PERIOD),
    ],
);
pub(in crate::fhirpath) static ATTACHMENT: Type = complex(
    "Attachment",
    &ELEMENT,
    &[
        field("contentType", &CODE),
        field("language", &CODE),
        field("data", &BASE64_BINARY),
        field("url", &URL),
        field("size", &UNSIGNED_INT),
        field("hash", &BASE64_BINARY),
        field("title", &STRING),
        field("creation", &DATE_TIME),
    ],
);
pub(in crate::fhirpath) static ANNOTATION: Type =
    complex("Annotation", &ELEMENT, &[choice("author"), field("time", &DATE_TIME), field("text", &MARKDOWN)]);
pub(in crate::fhirpath) static SIGNATURE: Type = complex(
    "Signature",
    &ELEMENT,
    &[
        field("type", &CODING),
        field("when", &INSTANT),
        field("who", &REFERENCE),
        field("onBehalfOf", &REFERENCE),
        field("targetFormat", &CODE),
        field("sigFormat", &CODE),
        field("data", &BASE64_BINARY),
    ],
);
pub(in crate::fhirpath) static NARRATIVE: Type =
    complex("Narrative", &ELEMENT, &[field("status", &CODE), field("div", &XHTML)]);
pub(in crate::fhirpath) static META: Type = complex(
    "Meta",
    &ELEMENT,
    &[
        field("versionId", &ID),
        field("lastUpdated", &INSTANT),
        field("source", &URI),
        field("profile", &CANONICAL),
        field("security", &CODING),
        field("tag", &CODING),
    ],
);
pub(in crate::fhirpath) static CONTACT_DETAIL: Type =
    complex("ContactDetail", &ELEMENT, &[field("name", &STRING), field("telecom", &CONTACT_POINT)]);
pub(in crate::fhirpath) static USAGE_CONTEXT: Type =
    complex("UsageContext", &ELEMENT, &[field("code", &CODING), choice("value")]);
pub(in crate::fhirpath) static RELATED_ARTIFACT: Type = complex(
    "RelatedArtifact",
    &ELEMENT,
    &[
        field("type", &CODE),
        field("label", &STRING),
        field("display", &STRING),
        field("citation", &MARKDOWN),
        field("url", &URL),
        field("document", &ATTACHMENT),
        field("resource", &CANONICAL),
    ],
);
pub(in crate::fhirpath) static EXPRESSION: Type = complex(
    "Expression",
    &ELEMENT,
    &[
        field("description", &STRING),
        field("name", &ID),
        field("language", &CODE),
        field("expression", &STRING),
        field("reference", &URI),
    ],
);
pub(in crate::fhirpath) static BACKBONE_ELEMENT: Type =
    complex("BackboneElement", &ELEMENT, &[field("modifierExtension", &EXTENSION)]);
pub(in crate::fhirpath) static TIMING_REPEAT: Type = complex(
    "Timing.repeat",
    &ELEMENT,
    &[
        choice("bounds"),
        field("count", &POSITIVE_INT),
        field("countMax", &POSITIVE_INT),
        field("duration", &DECIMAL),
        field("durationMax", &DECIMAL),
        field("durationUnit", &CODE),
        field("frequency", &POSITIVE_INT),
        field("frequencyMax", &POSITIVE_INT),
        field("period", &DECIMAL),
        field("periodMax", &DECIMAL),
        field("periodUnit", &CODE),
        field("dayOfWeek", &CODE),
        field("timeOfDay", &TIME),
        field("when", &CODE),
        field("offset", &UNSIGNED_INT),
    ],
);
pub(in crate::fhirpath) static TIMING: Type = complex(
    "Timing",
    &BACKBONE_ELEMENT,
    &[field("event", &DATE_TIME), field("repeat", &TIMING_REPEAT), field("code", &CODEABLE_CONCEPT)],
);
pub(in crate::fhirpath) static DOSE_AND_RATE: Type = complex(
    "Dosage.doseAndRate",
    &ELEMENT,
    &[field("type", &CODEABLE_CONCEPT), choice("dose"), choice("rate")],
);
pub(in crate::fhirpath) static DOSAGE: Type = complex(
    "Dosage",
    &BACKBONE_ELEMENT,
    &[
        field("sequence", &INTEGER),
        field("text", &STRING),
        field("additionalInstruction", &CODEABLE_CONCEPT),
        field("patientInstruction", &STRING),
        field("timing", &TIMING),
        choice("asNeeded"),
        field("site", &CODEABLE_CONCEPT),
        field("route", &CODEABLE_CONCEPT),
        field("method", &CODEABLE_CONCEPT),
        field("doseAndRate", &DOSE_AND_RATE),
        field("maxDosePerPeriod", &RATIO),
        field("maxDosePerAdministration", &QUANTITY),
        field("maxDosePerLifetime", &QUANTITY),
    ],
);
