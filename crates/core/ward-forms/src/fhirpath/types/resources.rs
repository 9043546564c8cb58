//! The resources that forms are made of, drawn from or carried in.
//!
//! Source: FHIR R4, the resource pages of the named types.

use super::data_types::{
    ADDRESS, ANNOTATION, ATTACHMENT, BACKBONE_ELEMENT, CODEABLE_CONCEPT, CODING, CONTACT_DETAIL,
    CONTACT_POINT, DURATION, EXTENSION, HUMAN_NAME, IDENTIFIER, META, NARRATIVE, PERIOD, QUANTITY, RANGE,
    REFERENCE, SIGNATURE, USAGE_CONTEXT,
};
use super::primitives::{
    BOOLEAN, CANONICAL, CODE, DATE, DATE_TIME, ID, INSTANT, INTEGER, MARKDOWN, POSITIVE_INT, STRING, UNKNOWN,
    UNSIGNED_INT, URI,
};
use super::{Form, Type, choice, complex, field, resource};

/// The resources of the table and the parts of them that a caller may start from.
pub(in crate::fhirpath) static RESOURCES: &[&Type] = &[
    &PATIENT,
    &OBSERVATION,
    &QUESTIONNAIRE,
    &QUESTIONNAIRE_RESPONSE,
    &ENCOUNTER,
    &PRACTITIONER,
    &CONDITION,
    &ALLERGY,
    &ORGANIZATION,
    &CODE_SYSTEM,
    &VALUE_SET,
    &PARAMETERS,
    &BUNDLE,
];

/// Parts of resources that an expression may be evaluated on.
pub(in crate::fhirpath) static PARTS: &[&Type] =
    &[&RESPONSE_ITEM, &RESPONSE_ANSWER, &QUESTIONNAIRE_ITEM, &QUESTIONNAIRE_OPTION];

/// A resource that the table doesn't hold.
pub(in crate::fhirpath) static OTHER_RESOURCE: Type = Type {
    name: "DomainResource",
    base: Some(&RESOURCE),
    fields: DOMAIN_RESOURCE.fields,
    form: Form::Unknown,
};

static RESOURCE: Type = Type {
    name: "Resource",
    base: None,
    fields: &[field("id", &ID), field("meta", &META), field("implicitRules", &URI), field("language", &CODE)],
    form: Form::Complex,
};
static DOMAIN_RESOURCE: Type = complex(
    "DomainResource",
    &RESOURCE,
    &[
        field("text", &NARRATIVE),
        resource("contained"),
        field("extension", &EXTENSION),
        field("modifierExtension", &EXTENSION),
    ],
);
static PATIENT: Type = complex(
    "Patient",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("active", &BOOLEAN),
        field("name", &HUMAN_NAME),
        field("telecom", &CONTACT_POINT),
        field("gender", &CODE),
        field("birthDate", &DATE),
        choice("deceased"),
        field("address", &ADDRESS),
        field("maritalStatus", &CODEABLE_CONCEPT),
        choice("multipleBirth"),
        field("photo", &ATTACHMENT),
        field("contact", &PATIENT_CONTACT),
        field("communication", &PATIENT_COMMUNICATION),
        field("generalPractitioner", &REFERENCE),
        field("managingOrganization", &REFERENCE),
        field("link", &PATIENT_LINK),
    ],
);
static PATIENT_CONTACT: Type = complex(
    "Patient.contact",
    &BACKBONE_ELEMENT,
    &[
        field("relationship", &CODEABLE_CONCEPT),
        field("name", &HUMAN_NAME),
        field("telecom", &CONTACT_POINT),
        field("address", &ADDRESS),
        field("gender", &CODE),
        field("organization", &REFERENCE),
        field("period", &PERIOD),
    ],
);
static PATIENT_COMMUNICATION: Type = complex(
    "Patient.communication",
    &BACKBONE_ELEMENT,
    &[field("language", &CODEABLE_CONCEPT), field("preferred", &BOOLEAN)],
);
static PATIENT_LINK: Type =
    complex("Patient.link", &BACKBONE_ELEMENT, &[field("other", &REFERENCE), field("type", &CODE)]);
static OBSERVATION: Type = complex(
    "Observation",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("basedOn", &REFERENCE),
        field("partOf", &REFERENCE),
        field("status", &CODE),
        field("category", &CODEABLE_CONCEPT),
        field("code", &CODEABLE_CONCEPT),
        field("subject", &REFERENCE),
        field("focus", &REFERENCE),
        field("encounter", &REFERENCE),
        choice("effective"),
        field("issued", &INSTANT),
        field("performer", &REFERENCE),
        choice("value"),
        field("dataAbsentReason", &CODEABLE_CONCEPT),
        field("interpretation", &CODEABLE_CONCEPT),
        field("note", &ANNOTATION),
        field("bodySite", &CODEABLE_CONCEPT),
        field("method", &CODEABLE_CONCEPT),
        field("specimen", &REFERENCE),
        field("device", &REFERENCE),
        field("referenceRange", &OBSERVATION_RANGE),
        field("hasMember", &REFERENCE),
        field("derivedFrom", &REFERENCE),
        field("component", &OBSERVATION_COMPONENT),
    ],
);
static OBSERVATION_RANGE: Type = complex(
    "Observation.referenceRange",
    &BACKBONE_ELEMENT,
    &[
        field("low", &QUANTITY),
        field("high", &QUANTITY),
        field("type", &CODEABLE_CONCEPT),
        field("appliesTo", &CODEABLE_CONCEPT),
        field("age", &RANGE),
        field("text", &STRING),
    ],
);
static OBSERVATION_COMPONENT: Type = complex(
    "Observation.component",
    &BACKBONE_ELEMENT,
    &[
        field("code", &CODEABLE_CONCEPT),
        choice("value"),
        field("dataAbsentReason", &CODEABLE_CONCEPT),
        field("interpretation", &CODEABLE_CONCEPT),
        field("referenceRange", &OBSERVATION_RANGE),
    ],
);
static QUESTIONNAIRE: Type = complex(
    "Questionnaire",
    &DOMAIN_RESOURCE,
    &[
        field("url", &URI),
        field("identifier", &IDENTIFIER),
        field("version", &STRING),
        field("name", &STRING),
        field("title", &STRING),
        field("derivedFrom", &CANONICAL),
        field("status", &CODE),
        field("experimental", &BOOLEAN),
        field("subjectType", &CODE),
        field("date", &DATE_TIME),
        field("publisher", &STRING),
        field("contact", &CONTACT_DETAIL),
        field("description", &MARKDOWN),
        field("useContext", &USAGE_CONTEXT),
        field("jurisdiction", &CODEABLE_CONCEPT),
        field("purpose", &MARKDOWN),
        field("copyright", &MARKDOWN),
        field("approvalDate", &DATE),
        field("lastReviewDate", &DATE),
        field("effectivePeriod", &PERIOD),
        field("code", &CODING),
        field("item", &QUESTIONNAIRE_ITEM),
    ],
);
static QUESTIONNAIRE_ITEM: Type = complex(
    "Questionnaire.item",
    &BACKBONE_ELEMENT,
    &[
        field("linkId", &STRING),
        field("definition", &URI),
        field("code", &CODING),
        field("prefix", &STRING),
        field("text", &STRING),
        field("type", &CODE),
        field("enableWhen", &QUESTIONNAIRE_ENABLE_WHEN),
        field("enableBehavior", &CODE),
        field("required", &BOOLEAN),
        field("repeats", &BOOLEAN),
        field("readOnly", &BOOLEAN),
        field("maxLength", &INTEGER),
        field("answerValueSet", &CANONICAL),
        field("answerOption", &QUESTIONNAIRE_OPTION),
        field("initial", &QUESTIONNAIRE_INITIAL),
        field("item", &QUESTIONNAIRE_ITEM),
    ],
);
static QUESTIONNAIRE_ENABLE_WHEN: Type = complex(
    "Questionnaire.item.enableWhen",
    &BACKBONE_ELEMENT,
    &[field("question", &STRING), field("operator", &CODE), choice("answer")],
);
static QUESTIONNAIRE_OPTION: Type = complex(
    "Questionnaire.item.answerOption",
    &BACKBONE_ELEMENT,
    &[choice("value"), field("initialSelected", &BOOLEAN)],
);
static QUESTIONNAIRE_INITIAL: Type =
    complex("Questionnaire.item.initial", &BACKBONE_ELEMENT, &[choice("value")]);
static QUESTIONNAIRE_RESPONSE: Type = complex(
    "QuestionnaireResponse",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("basedOn", &REFERENCE),
        field("partOf", &REFERENCE),
        field("questionnaire", &CANONICAL),
        field("status", &CODE),
        field("subject", &REFERENCE),
        field("encounter", &REFERENCE),
        field("authored", &DATE_TIME),
        field("author", &REFERENCE),
        field("source", &REFERENCE),
        field("item", &RESPONSE_ITEM),
    ],
);
static RESPONSE_ITEM: Type = complex(
    "QuestionnaireResponse.item",
    &BACKBONE_ELEMENT,
    &[
        field("linkId", &STRING),
        field("definition", &URI),
        field("text", &STRING),
        field("answer", &RESPONSE_ANSWER),
        field("item", &RESPONSE_ITEM),
    ],
);
static RESPONSE_ANSWER: Type = complex(
    "QuestionnaireResponse.item.answer",
    &BACKBONE_ELEMENT,
    &[choice("value"), field("item", &RESPONSE_ITEM)],
);
static ENCOUNTER: Type = complex(
    "Encounter",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("status", &CODE),
        field("statusHistory", &ENCOUNTER_STATUS),
        field("class", &CODING),
        field("classHistory", &ENCOUNTER_CLASS),
        field("type", &CODEABLE_CONCEPT),
        field("serviceType", &CODEABLE_CONCEPT),
        field("priority", &CODEABLE_CONCEPT),
        field("subject", &REFERENCE),
        field("episodeOfCare", &REFERENCE),
        field("basedOn", &REFERENCE),
        field("participant", &ENCOUNTER_PARTICIPANT),
        field("appointment", &REFERENCE),
        field("period", &PERIOD),
        field("length", &DURATION),
        field("reasonCode", &CODEABLE_CONCEPT),
        field("reasonReference", &REFERENCE),
        field("diagnosis", &ENCOUNTER_DIAGNOSIS),
        field("account", &REFERENCE),
        field("hospitalization", &UNKNOWN),
        field("location", &ENCOUNTER_LOCATION),
        field("serviceProvider", &REFERENCE),
        field("partOf", &REFERENCE),
    ],
);
static ENCOUNTER_STATUS: Type = complex(
    "Encounter.statusHistory",
    &BACKBONE_ELEMENT,
    &[field("status", &CODE), field("period", &PERIOD)],
);
static ENCOUNTER_CLASS: Type = complex(
    "Encounter.classHistory",
    &BACKBONE_ELEMENT,
    &[field("class", &CODING), field("period", &PERIOD)],
);
static ENCOUNTER_PARTICIPANT: Type = complex(
    "Encounter.participant",
    &BACKBONE_ELEMENT,
    &[field("type", &CODEABLE_CONCEPT), field("period", &PERIOD), field("individual", &REFERENCE)],
);
static ENCOUNTER_DIAGNOSIS: Type = complex(
    "Encounter.diagnosis",
    &BACKBONE_ELEMENT,
    &[field("condition", &REFERENCE), field("use", &CODEABLE_CONCEPT), field("rank", &POSITIVE_INT)],
);
static ENCOUNTER_LOCATION: Type = complex(
    "Encounter.location",
    &BACKBONE_ELEMENT,
    &[
        field("location", &REFERENCE),
        field("status", &CODE),
        field("physicalType", &CODEABLE_CONCEPT),
        field("period", &PERIOD),
    ],
);
static PRACTITIONER: Type = complex(
    "Practitioner",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("active", &BOOLEAN),
        field("name", &HUMAN_NAME),
        field("telecom", &CONTACT_POINT),
        field("address", &ADDRESS),
        field("gender", &CODE),
        field("birthDate", &DATE),
        field("photo", &ATTACHMENT),
        field("qualification", &PRACTITIONER_QUALIFICATION),
        field("communication", &CODEABLE_CONCEPT),
    ],
);
static PRACTITIONER_QUALIFICATION: Type = complex(
    "Practitioner.qualification",
    &BACKBONE_ELEMENT,
    &[
        field("identifier", &IDENTIFIER),
        field("code", &CODEABLE_CONCEPT),
        field("period", &PERIOD),
        field("issuer", &REFERENCE),
    ],
);
static CONDITION: Type = complex(
    "Condition",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("clinicalStatus", &CODEABLE_CONCEPT),
        field("verificationStatus", &CODEABLE_CONCEPT),
        field("category", &CODEABLE_CONCEPT),
        field("severity", &CODEABLE_CONCEPT),
        field("code", &CODEABLE_CONCEPT),
        field("bodySite", &CODEABLE_CONCEPT),
        field("subject", &REFERENCE),
        field("encounter", &REFERENCE),
        choice("onset"),
        choice("abatement"),
        field("recordedDate", &DATE_TIME),
        field("recorder", &REFERENCE),
        field("asserter", &REFERENCE),
        field("stage", &CONDITION_STAGE),
        field("evidence", &CONDITION_EVIDENCE),
        field("note", &ANNOTATION),
    ],
);
static CONDITION_STAGE: Type = complex(
    "Condition.stage",
    &BACKBONE_ELEMENT,
    &[field("summary", &CODEABLE_CONCEPT), field("assessment", &REFERENCE), field("type", &CODEABLE_CONCEPT)],
);
static CONDITION_EVIDENCE: Type = complex(
    "Condition.evidence",
    &BACKBONE_ELEMENT,
    &[field("code", &CODEABLE_CONCEPT), field("detail", &REFERENCE)],
);
static ALLERGY: Type = complex(
    "AllergyIntolerance",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("clinicalStatus", &CODEABLE_CONCEPT),
        field("verificationStatus", &CODEABLE_CONCEPT),
        field("type", &CODE),
        field("category", &CODE),
        field("criticality", &CODE),
        field("code", &CODEABLE_CONCEPT),
        field("patient", &REFERENCE),
        field("encounter", &REFERENCE),
        choice("onset"),
        field("recordedDate", &DATE_TIME),
        field("recorder", &REFERENCE),
        field("asserter", &REFERENCE),
        field("lastOccurrence", &DATE_TIME),
        field("note", &ANNOTATION),
        field("reaction", &ALLERGY_REACTION),
    ],
);
static ALLERGY_REACTION: Type = complex(
    "AllergyIntolerance.reaction",
    &BACKBONE_ELEMENT,
    &[
        field("substance", &CODEABLE_CONCEPT),
        field("manifestation", &CODEABLE_CONCEPT),
        field("description", &STRING),
        field("onset", &DATE_TIME),
        field("severity", &CODE),
        field("exposureRoute", &CODEABLE_CONCEPT),
        field("note", &ANNOTATION),
    ],
);
static ORGANIZATION: Type = complex(
    "Organization",
    &DOMAIN_RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("active", &BOOLEAN),
        field("type", &CODEABLE_CONCEPT),
        field("name", &STRING),
        field("alias", &STRING),
        field("telecom", &CONTACT_POINT),
        field("address", &ADDRESS),
        field("partOf", &REFERENCE),
        field("contact", &ORGANIZATION_CONTACT),
        field("endpoint", &REFERENCE),
    ],
);
static ORGANIZATION_CONTACT: Type = complex(
    "Organization.contact",
    &BACKBONE_ELEMENT,
    &[
        field("purpose", &CODEABLE_CONCEPT),
        field("name", &HUMAN_NAME),
        field("telecom", &CONTACT_POINT),
        field("address", &ADDRESS),
    ],
);
static CODE_SYSTEM: Type = complex(
    "CodeSystem",
    &DOMAIN_RESOURCE,
    &[
        field("url", &URI),
        field("identifier", &IDENTIFIER),
        field("version", &STRING),
        field("name", &STRING),
        field("title", &STRING),
        field("status", &CODE),
        field("experimental", &BOOLEAN),
        field("date", &DATE_TIME),
        field("publisher", &STRING),
        field("contact", &CONTACT_DETAIL),
        field("description", &MARKDOWN),
        field("useContext", &USAGE_CONTEXT),
        field("jurisdiction", &CODEABLE_CONCEPT),
        field("purpose", &MARKDOWN),
        field("copyright", &MARKDOWN),
        field("caseSensitive", &BOOLEAN),
        field("valueSet", &CANONICAL),
        field("hierarchyMeaning", &CODE),
        field("compositional", &BOOLEAN),
        field("versionNeeded", &BOOLEAN),
        field("content", &CODE),
        field("supplements", &CANONICAL),
        field("count", &UNSIGNED_INT),
        field("filter", &CODE_SYSTEM_FILTER),
        field("property", &CODE_SYSTEM_PROPERTY),
        field("concept", &CODE_SYSTEM_CONCEPT),
    ],
);
static CODE_SYSTEM_FILTER: Type = complex(
    "CodeSystem.filter",
    &BACKBONE_ELEMENT,
    &[field("code", &CODE), field("description", &STRING), field("operator", &CODE), field("value", &STRING)],
);
static CODE_SYSTEM_PROPERTY: Type = complex(
    "CodeSystem.property",
    &BACKBONE_ELEMENT,
    &[field("code", &CODE), field("uri", &URI), field("description", &STRING), field("type", &CODE)],
);
static CODE_SYSTEM_CONCEPT: Type = complex(
    "CodeSystem.concept",
    &BACKBONE_ELEMENT,
    &[
        field("code", &CODE),
        field("display", &STRING),
        field("definition", &STRING),
        field("designation", &CODE_SYSTEM_DESIGNATION),
        field("property", &CODE_SYSTEM_CONCEPT_PROPERTY),
        field("concept", &CODE_SYSTEM_CONCEPT),
    ],
);
static CODE_SYSTEM_DESIGNATION: Type = complex(
    "CodeSystem.concept.designation",
    &BACKBONE_ELEMENT,
    &[field("language", &CODE), field("use", &CODING), field("value", &STRING)],
);
static CODE_SYSTEM_CONCEPT_PROPERTY: Type =
    complex("CodeSystem.concept.property", &BACKBONE_ELEMENT, &[field("code", &CODE), choice("value")]);
static VALUE_SET: Type = complex(
    "ValueSet",
    &DOMAIN_RESOURCE,
    &[
        field("url", &URI),
        field("identifier", &IDENTIFIER),
        field("version", &STRING),
        field("name", &STRING),
        field("title", &STRING),
        field("status", &CODE),
        field("experimental", &BOOLEAN),
        field("date", &DATE_TIME),
        field("publisher", &STRING),
        field("contact", &CONTACT_DETAIL),
        field("description", &MARKDOWN),
        field("useContext", &USAGE_CONTEXT),
        field("jurisdiction", &CODEABLE_CONCEPT),
        field("immutable", &BOOLEAN),
        field("purpose", &MARKDOWN),
        field("copyright", &MARKDOWN),
        field("compose", &UNKNOWN),
        field("expansion", &VALUE_SET_EXPANSION),
    ],
);
static VALUE_SET_EXPANSION: Type = complex(
    "ValueSet.expansion",
    &BACKBONE_ELEMENT,
    &[
        field("identifier", &URI),
        field("timestamp", &DATE_TIME),
        field("total", &INTEGER),
        field("offset", &INTEGER),
        field("parameter", &VALUE_SET_PARAMETER),
        field("contains", &VALUE_SET_CONTAINS),
    ],
);
static VALUE_SET_PARAMETER: Type =
    complex("ValueSet.expansion.parameter", &BACKBONE_ELEMENT, &[field("name", &STRING), choice("value")]);
static VALUE_SET_CONTAINS: Type = complex(
    "ValueSet.expansion.contains",
    &BACKBONE_ELEMENT,
    &[
        field("system", &URI),
        field("abstract", &BOOLEAN),
        field("inactive", &BOOLEAN),
        field("version", &STRING),
        field("code", &CODE),
        field("display", &STRING),
        field("designation", &CODE_SYSTEM_DESIGNATION),
        field("contains", &VALUE_SET_CONTAINS),
    ],
);
static PARAMETERS: Type = complex("Parameters", &RESOURCE, &[field("parameter", &PARAMETERS_PARAMETER)]);
static PARAMETERS_PARAMETER: Type = complex(
    "Parameters.parameter",
    &BACKBONE_ELEMENT,
    &[field("name", &STRING), choice("value"), resource("resource"), field("part", &PARAMETERS_PARAMETER)],
);
static BUNDLE: Type = complex(
    "Bundle",
    &RESOURCE,
    &[
        field("identifier", &IDENTIFIER),
        field("type", &CODE),
        field("timestamp", &INSTANT),
        field("total", &UNSIGNED_INT),
        field("link", &BUNDLE_LINK),
        field("entry", &BUNDLE_ENTRY),
        field("signature", &SIGNATURE),
    ],
);
static BUNDLE_LINK: Type =
    complex("Bundle.link", &BACKBONE_ELEMENT, &[field("relation", &STRING), field("url", &URI)]);
static BUNDLE_ENTRY: Type = complex(
    "Bundle.entry",
    &BACKBONE_ELEMENT,
    &[
        field("link", &BUNDLE_LINK),
        field("fullUrl", &URI),
        resource("resource"),
        field("search", &UNKNOWN),
        field("request", &UNKNOWN),
        field("response", &UNKNOWN),
    ],
);
