//! What the org says about its objects and their fields.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::salesforce::field::{Field, FieldType, Source};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

/// `GET …/sobjects`.
pub(crate) fn global(state: &State, turn: &Turn) -> Ruling {
    let all: Vec<Value> = state.kinds().map(|kind| entry(turn, kind)).collect();
    Ok(reply::ok(&json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all})))
}

/// `GET …/sobjects/{Object}`.
pub(crate) fn basic(state: &State, turn: &Turn, kind: Kind) -> Ruling {
    let shelf = state.shelf(kind);
    let recent = shelf.iter().filter(|(_, record)| record.is_live()).take(3).map(|(number, _)| {
        let id = shelf.id(number);
        let url = format!("{}/sobjects/{}/{id}", turn.base(), kind.name());
        json!({"attributes": {"type": kind.name(), "url": url}, "Id": id})
    });
    Ok(reply::ok(&json!({"objectDescribe": entry(turn, kind), "recentItems": recent.collect::<Vec<Value>>()})))
}

fn entry(turn: &Turn, kind: Kind) -> Value {
    let facts = kind.facts();
    let base = format!("{}/sobjects/{}", turn.base(), facts.name);
    let prefix: String = facts.prefix.iter().copied().map(char::from).collect();
    json!({
        "activateable": false, "associateEntityType": null, "associateParentEntity": null, "createable": facts.writable,
        "custom": false, "customSetting": false, "deepCloneable": false, "deletable": facts.writable,
        "deprecatedAndHidden": false, "feedEnabled": facts.listed, "hasSubtypes": false, "isInterface": false,
        "isSubtype": false, "keyPrefix": prefix, "label": facts.label, "labelPlural": facts.plural,
        "layoutable": facts.listed, "mergeable": facts.mergeable, "mruEnabled": facts.listed, "name": facts.name,
        "queryable": true, "replicateable": true, "retrieveable": true, "searchable": facts.listed,
        "triggerable": facts.writable, "undeletable": facts.writable, "updateable": facts.writable,
        "urls": {"sobject": base, "describe": format!("{base}/describe"), "rowTemplate": format!("{base}/{{ID}}")},
    })
}

/// `GET …/sobjects/{Object}/describe`. The fields of this org do not change, so it is never newer than asked for.
pub(crate) fn full(state: &State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    if request.header("If-Modified-Since").is_some() {
        return Ok(reply::empty(304));
    }
    let mut shown = entry(turn, kind);
    let base = format!("{}/sobjects/{}", turn.base(), kind.name());
    let fields: Vec<Value> = state.shelf(kind).catalogue.iter().map(|(_, field)| field_entry(field)).collect();
    shown["fields"] = fields.into();
    shown["childRelationships"] = children(state, kind);
    shown["recordTypeInfos"] = json!([{
        "active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "master": true,
        "name": "Master", "recordTypeId": "012000000000000AAA",
        "urls": {"layout": format!("{base}/describe/layouts/012000000000000AAA")},
    }]);
    let scopes = [("everything", "All"), ("mine", "My")];
    let scope = |(name, word): &(&str, &str)| json!({"name": name, "label": format!("{word} {}", kind.facts().plural.to_lowercase())});
    shown["supportedScopes"] = scopes.iter().map(scope).collect();
    for (key, value) in [
        ("actionOverrides", json!([])),
        ("compactLayoutable", kind.facts().listed.into()),
        ("defaultImplementation", Value::Null),
        ("extendedBy", Value::Null),
        ("extendsInterfaces", Value::Null),
        ("implementedBy", Value::Null),
        ("implementsInterfaces", Value::Null),
        ("listviewable", Value::Null),
        ("lookupLayoutable", Value::Null),
        ("namedLayoutInfos", json!([])),
        ("networkScopeFieldName", Value::Null),
        ("searchLayoutable", kind.facts().listed.into()),
        ("sobjectDescribeOption", json!("FULL")),
    ] {
        shown[key] = value;
    }
    Ok(reply::ok(&shown))
}

fn children(state: &State, kind: Kind) -> Value {
    let mut all = Vec::new();
    for child in state.kinds() {
        for (_, field) in state.shelf(child).catalogue.iter() {
            let leads_here = field.kind == FieldType::Reference && field.targets.contains(&kind.name());
            if leads_here && field.source == Source::Stored {
                let (name, cascade) = field.children.map_or((None, false), |(name, cascade)| (Some(name), cascade));
                all.push(json!({
                    "cascadeDelete": cascade, "childSObject": child.name(), "deprecatedAndHidden": false,
                    "field": field.name, "junctionIdListNames": [], "junctionReferenceTo": [],
                    "relationshipName": name, "restrictedDelete": false,
                }));
            }
        }
    }
    all.into()
}

fn field_entry(field: &Field) -> Value {
    let (type_name, soap_type) = field.kind.names();
    let is_reference = field.kind == FieldType::Reference;
    let is_int = field.kind == FieldType::Int;
    let filterable = field.is_filterable();
    let audited = !matches!(field.source, Source::Stored) || field.default.is_some() || field.name == "OwnerId";
    let polymorphic = field.targets.len() > 1;
    let listed: Vec<Value> = field
        .choices
        .iter()
        .map(|choice| {
            let default = choice.default || field.default.as_ref() == Some(&choice.value);
            let value = &choice.value;
            json!({"active": choice.active, "defaultValue": default, "label": value, "validFor": null, "value": value})
        })
        .collect();
    let default: Value = match (&field.default, field.kind) {
        (Some(text), FieldType::Boolean) => (text == "true").into(),
        (Some(text), _) => text.as_str().into(),
        (None, _) => Value::Null,
    };
    let extra = (field.kind == FieldType::TextArea).then_some("plaintextarea");
    let mut shown = json!({
        "aggregatable": filterable, "aiPredictionField": false, "autoNumber": false, "byteLength": field.length * 3,
        "calculated": field.is_calculated(), "calculatedFormula": null, "cascadeDelete": false,
        "caseSensitive": field.case_sensitive, "compoundFieldName": field.compound, "controllerName": null,
        "createable": field.createable, "custom": field.is_custom(), "defaultValue": default,
        "defaultValueFormula": null, "defaultedOnCreate": audited, "dependentPicklist": false,
        "deprecatedAndHidden": false, "digits": if is_int { field.precision } else { 0 },
        "displayLocationInDecimal": false, "encrypted": false, "externalId": field.external_id, "extraTypeInfo": extra,
        "filterable": filterable, "filteredLookupInfo": null, "formulaTreatNullNumberAsZero": false,
        "groupable": filterable && !field.kind.is_decimal() && field.kind != FieldType::DateTime,
        "highScaleNumber": false, "htmlFormatted": false, "idLookup": field.id_lookup, "inlineHelpText": null,
        "label": field.label, "length": field.length,
    });
    let rest = json!({
        "mask": null, "maskType": null, "name": field.name, "nameField": field.name_field,
        "namePointing": polymorphic, "nillable": field.nillable,
        "permissionable": field.nillable && field.createable, "picklistValues": listed,
        "polymorphicForeignKey": polymorphic,
        "precision": if is_int { 0 } else { field.precision }, "queryByDistance": false, "referenceTargetField": null,
        "referenceTo": field.targets, "relationshipName": field.relationship.as_ref().filter(|_| is_reference),
        "relationshipOrder": null, "restrictedDelete": false, "restrictedPicklist": field.restricted,
        "scale": field.scale, "searchPrefilterable": is_reference, "soapType": soap_type,
        "sortable": filterable && field.kind != FieldType::MultiPicklist, "type": type_name, "unique": field.unique,
        "updateable": field.updateable, "writeRequiresMasterRead": false,
    });
    if let (Value::Object(shown), Value::Object(rest)) = (&mut shown, rest) {
        shown.extend(rest);
    }
    shown
}
