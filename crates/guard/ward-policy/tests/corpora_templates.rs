//! Templates and manifests that Ward did not write. They are read where `WARD_CORPORA` points and
//! never copied.
#![expect(clippy::panic, reason = "helper functions of tests")]

use std::path::{Path, PathBuf};
use ward_policy::cloudformation::read_cloudformation;
use ward_policy::graph::{Format, Graph};
use ward_policy::kubernetes::{ManifestFile, read_kubernetes};
use ward_policy::{InputError, read_text, recognise};

/// Real templates, and the resources that stand in them, loops written out.
const AWS_TEMPLATES: usize = 121;
const AWS_RESOURCES: usize = 812;
/// Resources whose condition can't hold.
const AWS_NEVER_MADE: usize = 0;

/// Labelled fragments.
const FRAGMENT_TEMPLATES: usize = 78;
const FRAGMENT_RESOURCES: usize = 95;
const FRAGMENT_MANIFESTS: usize = 23;

/// Manifests of a cluster that is meant to be broken into.
const GOAT_FILES: usize = 17;
const GOAT_OBJECTS: usize = 35;
/// Charts that were not rendered: refused, each with its line.
const GOAT_CHARTS: usize = 5;
/// Configuration that is no manifest: refused as well.
const GOAT_OTHERS: usize = 5;

/// Every file below a folder of the corpora, sorted, or `None` when no corpora are given. Corpora
/// that are given but lack the folder are a failure, not a skip.
fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let root = PathBuf::from(std::env::var_os("WARD_CORPORA")?).join("policy").join(folder);
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.sort();
    Some(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| {
        panic!("WARD_CORPORA is set, but {} can't be read: {error}", folder.display())
    });
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one))
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read_text(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_owned()
}

/// The format of a text and what its reader makes of it.
fn read(path: &Path) -> Result<(Format, Graph), InputError> {
    let text = text(path);
    let file = path.display().to_string();
    let format = recognise(&text)?;
    let graph = match format {
        Format::CloudFormation => read_cloudformation(&file, &text)?,
        Format::Kubernetes => read_kubernetes(&[ManifestFile { file: &file, text: &text }])?,
        other => panic!("{file} is taken for a {}", other.name()),
    };
    Ok((format, graph))
}

#[expect(clippy::print_stdout, reason = "what was read must be seen")]
fn told(what: &str, read: usize, total: usize) {
    println!("corpus {what}: {read}/{total}");
}

#[expect(clippy::print_stdout, reason = "the reason for a skip must be seen")]
fn skipped() {
    println!("skipped: WARD_CORPORA is not set, so there are no outside templates and manifests to read");
}

/// How many of a graph's notes say that a resource is never made.
fn never_made(graph: &Graph) -> usize {
    graph.notes().iter().filter(|note| note.text.contains("is never made")).count()
}

#[test]
fn every_real_template_is_read_with_every_resource() {
    let Some(files) = files("aws-templates") else { return skipped() };
    let (mut resources, mut never) = (0, 0);
    for path in &files {
        let (format, graph) = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(format, Format::CloudFormation, "{}", path.display());
        assert!(!graph.notes().iter().any(|note| note.text.contains("has no type")), "{}", path.display());
        resources += graph.len();
        never += never_made(&graph);
    }
    told("aws-templates, templates", files.len(), AWS_TEMPLATES);
    told("aws-templates, resources", resources, AWS_RESOURCES - AWS_NEVER_MADE);
    assert_eq!(
        (files.len(), resources, never),
        (AWS_TEMPLATES, AWS_RESOURCES - AWS_NEVER_MADE, AWS_NEVER_MADE)
    );
}

#[test]
fn every_labelled_fragment_is_read() {
    let (Some(templates), Some(manifests)) =
        (files("trivy-checks/cloudformation"), files("trivy-checks/kubernetes"))
    else {
        return skipped();
    };
    let mut resources = 0;
    for path in &templates {
        let (format, graph) = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(format, Format::CloudFormation, "{}", path.display());
        assert_eq!(never_made(&graph), 0, "{}", path.display());
        resources += graph.len();
    }
    let mut objects = 0;
    for path in &manifests {
        let (format, graph) = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!((format, graph.notes().len()), (Format::Kubernetes, 0), "{}", path.display());
        objects += graph.len();
    }
    told("trivy-checks, resources of templates", resources, FRAGMENT_RESOURCES);
    told("trivy-checks, objects of manifests", objects, FRAGMENT_MANIFESTS);
    assert_eq!((templates.len(), resources), (FRAGMENT_TEMPLATES, FRAGMENT_RESOURCES));
    assert_eq!((manifests.len(), objects), (FRAGMENT_MANIFESTS, FRAGMENT_MANIFESTS));
}

#[test]
fn every_manifest_of_the_broken_cluster_is_read_and_its_charts_are_refused() {
    let Some(files) = files("kubernetes-goat") else { return skipped() };
    let (mut read_files, mut objects, mut charts, mut others) = (0, 0, 0, 0);
    for path in files.iter().filter(|path| has_extension(path, &["yaml", "yml"])) {
        match read(path) {
            Ok((format, graph)) => {
                assert_eq!((format, graph.notes().len()), (Format::Kubernetes, 0), "{}", path.display());
                read_files += 1;
                objects += graph.len();
            }
            Err(InputError::UnknownFormat { what }) if what.contains("not rendered") => charts += 1,
            Err(InputError::NotInfrastructure) => others += 1,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    told("kubernetes-goat, files", read_files, GOAT_FILES);
    told("kubernetes-goat, objects", objects, GOAT_OBJECTS);
    told("kubernetes-goat, charts refused", charts, GOAT_CHARTS);
    assert_eq!((read_files, objects, charts, others), (GOAT_FILES, GOAT_OBJECTS, GOAT_CHARTS, GOAT_OTHERS));
}

/// Places of damage in each file, and what is put there.
const CUTS: usize = 4;
const DAMAGE: [&str; 8] = ["", "{{", "!Ref ", "[", "\"Fn::If\": ", "\n- ", "&a ", "\u{1f3e5}"];

#[test]
fn damaged_templates_and_manifests_are_read_or_refused() {
    let folders = ["aws-templates", "trivy-checks/kubernetes", "kubernetes-goat"];
    let Some(found) = folders.into_iter().map(files).collect::<Option<Vec<_>>>() else { return skipped() };
    let (mut read, mut refused) = (0, 0);
    for (file, path) in found.concat().iter().enumerate() {
        let text = text(path);
        for (cut, damage) in (0..CUTS).zip(DAMAGE.into_iter().cycle().skip(file % DAMAGE.len())) {
            let at = text.floor_char_boundary(text.len() * (cut * 2 + 1) / (CUTS * 2));
            let (before, after) = text.split_at(at);
            for damaged in [before.to_owned(), format!("{before}{damage}{after}"), format!("{damage}{after}")]
            {
                // Each reader takes whatever comes, not only what is its own.
                let manifests = read_kubernetes(&[ManifestFile { file: "damaged", text: &damaged }]);
                for result in [read_cloudformation("damaged", &damaged), manifests] {
                    if result.is_ok() { read += 1 } else { refused += 1 }
                }
                let _ = recognise(&damaged);
            }
        }
    }
    println!("damaged inputs: {refused} refused, {read} read");
    assert!(read > 0 && refused > 0);
}

#[test]
fn templates_of_azure_are_refused_and_plans_are_told_apart() {
    let (Some(azure), Some(plans)) = (files("kaimonkey/arm"), files("plans")) else { return skipped() };
    let templates: Vec<_> = azure.iter().filter(|path| path.ends_with("azuredeploy.json")).collect();
    assert!(!templates.is_empty());
    for path in templates {
        match recognise(&text(path)) {
            Err(InputError::UnknownFormat { what }) => assert!(what.contains("Azure"), "{what}"),
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    for path in &plans {
        let told = recognise(&text(path));
        assert!(
            matches!(told, Ok(Format::TerraformPlan | Format::TerraformState)),
            "{}: {told:?}",
            path.display()
        );
    }
}
