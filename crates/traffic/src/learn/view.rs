//! Profiles as JSON, for those who do statistics on them. `docs/learning.md` has the members.

use serde_json::{Map, Value, json};

use super::names::Named;
use super::node::Node;
use super::object::{Kinds, Member, Members, Object, Objects};
use super::operation::{Body, OperationProfile};
use super::parameter::{Parameter, Parameters};
use super::support::Support;
use super::tape::TAG_NAMES;
use super::value::ValueProfile;

impl OperationProfile {
    /// The profile as JSON, without the operation it is of.
    pub fn view(&self) -> Map<String, Value> {
        let path = self.path.iter().map(|known| {
            let parameter = known.known.iter().next();
            parameter.map_or_else(
                || view_parameter(&Parameter::default()),
                |entry| view_parameter(&entry.value),
            )
        });
        let (once, twice) = seldom(&self.query.known, Parameter::present);
        let left_out = [&self.query, &self.headers, &self.cookies]
            .iter()
            .fold(self.left_out, |sum, known| {
                sum.saturating_add(known.left_out)
            });
        let bodies = self.bodies.sorted().into_iter();
        let view = json!({
            "requests": self.requests.requests(),
            "samples": self.requests.samples(),
            "sources": self.requests.sources(),
            "identified": self.identified,
            "first_seen": self.times.first,
            "last_seen": self.times.last,
            "days": self.times.days.iter().collect::<Vec<_>>(),
            "hours": self.times.hours.as_slice(),
            "path": path.collect::<Vec<_>>(),
            "query": view_parameters(&self.query),
            "header": view_parameters(&self.headers),
            "cookie": view_parameters(&self.cookies),
            "query_once": once,
            "query_twice": twice,
            "bodies": bodies
                .map(|entry| (entry.name.to_string(), view_body(&entry.value)))
                .collect::<Map<_, _>>(),
            "without_body": self.without_body.view(),
            "left_out": left_out,
        });
        match view {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

fn view_parameters(parameters: &Parameters) -> Value {
    by_name(&parameters.known, view_parameter)
}

fn view_parameter(parameter: &Parameter) -> Value {
    json!({
        "present": parameter.present().view(),
        "repeated": some(&parameter.repeated),
        "node": {"value": parameter.value.view(), "items": null, "object": null},
    })
}

fn view_body(body: &Body) -> Value {
    let mut node = view_node(&body.node);
    // A file is there without a value.
    for file in body.files.iter() {
        let members = body
            .node
            .objects
            .as_deref()
            .map(|objects| &objects.plain.members);
        if let Some(Members::Listed(members)) = members
            && let Some(member) = members.iter().find(|member| member.name == file.name)
        {
            let mut present = member.value.present();
            present.merge(&file.value);
            node["object"]["members"][&*file.name]["present"] = present.view();
        }
    }
    json!({
        "present": body.present.view(),
        "charset": by_name(&body.charsets, Support::view),
        "unreadable": some(&body.unreadable),
        "files": by_name(&body.files, Support::view),
        "node": node,
    })
}

fn view_node(node: &Node) -> Value {
    json!({
        "value": node.value.view(),
        "items": node.items.as_deref().map(view_node),
        "object": node.objects.as_deref().map(|objects| view_objects(objects, &node.value)),
    })
}

fn view_objects(objects: &Objects, value: &ValueProfile) -> Value {
    let mut view = view_object(&objects.plain, value);
    let tag = match &objects.kinds {
        Kinds::Said(name, branches) => {
            let branch = |object| view_object(object, value);
            let branches: Map<_, _> = branches
                .iter()
                .map(|(value, object)| (value.to_string(), Value::Object(branch(object))))
                .collect();
            json!({"name": TAG_NAMES.get(usize::from(*name)), "branches": branches})
        }
        _ => Value::Null,
    };
    view.insert("tag".to_owned(), tag);
    Value::Object(view)
}

fn view_object(object: &Object, value: &ValueProfile) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("present".to_owned(), object.present.view());
    let (members, map, once, twice) = match &object.members {
        Members::Listed(members) => {
            let (once, twice) = seldom(members, Member::present);
            let members = by_name(
                members,
                |member| json!({"present": member.present().view(), "node": view_node(&member.node)}),
            );
            (members, Value::Null, once, twice)
        }
        Members::Map(map) => {
            let (once, twice) = map.names.seldom();
            let view = json!({
                "names": map.names.profile().view(),
                "node": view_node(&map.node),
                "sizes": value.view().get("members"),
            });
            (Value::Null, view, once, twice)
        }
    };
    let shapes = object.shapes.0.as_ref().map(|shapes| {
        let mut sorted: Vec<_> = shapes.iter().collect();
        sorted.sort_unstable_by(|one, other| one.names.cmp(&other.names));
        let shape = |shape: &super::object::Shape| json!({"members": shape.names, "support": shape.support.view()});
        sorted.into_iter().map(shape).collect::<Vec<_>>()
    });
    view.insert("members".to_owned(), members);
    view.insert("map".to_owned(), map);
    view.insert("shapes".to_owned(), json!(shapes));
    view.insert("once".to_owned(), json!(once));
    view.insert("twice".to_owned(), json!(twice));
    view
}

/// How many names were seen in one sample only, and in two.
fn seldom<T>(named: &Named<T>, present: impl Fn(&T) -> Support) -> (usize, usize) {
    let samples: Vec<u64> = named
        .iter()
        .map(|entry| present(&entry.value).samples())
        .collect();
    let count = |wanted| samples.iter().filter(|samples| **samples == wanted).count();
    (count(1), count(2))
}

fn by_name<T>(named: &Named<T>, view: impl Fn(&T) -> Value) -> Value {
    let members = named.sorted().into_iter();
    Value::Object(
        members
            .map(|entry| (entry.name.to_string(), view(&entry.value)))
            .collect(),
    )
}

/// What was seen at all.
fn some(support: &Support) -> Option<Value> {
    (support.requests() > 0).then(|| support.view())
}
