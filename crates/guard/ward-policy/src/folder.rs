//! A folder of infrastructure code: which of its files belong together, and what they come to.

use crate::cloudformation::read_cloudformation;
use crate::graph::{Format, Graph};
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::kubernetes::{ManifestFile, read_kubernetes};
use crate::recognise::recognise;
use crate::terraform_plan::read_terraform;
use crate::terraform_source::{SourceFile, SourceOptions, TerraformSource, is_fetched};

/// Ends of the names of files that hold Terraform configuration.
const CONFIGURATION: [&str; 2] = [".tf", ".tf.json"];
/// Ends of the names of files that may hold plans, templates or manifests. What they hold is told by
/// their content.
const DOCUMENTS: [&str; 6] = [".json", ".yaml", ".yml", ".template", ".cfn", ".cform"];
/// The end of the names of files that are looked into, and are anything else as a rule.
const PLAIN_TEXT: &str = ".txt";
/// Ends of the names of files that change what is deployed and that Ward does not read.
const NOT_READ: [(&str, &str); 5] = [
    (".tofu", "OpenTofu takes it in the place of the file of its name"),
    (".tofu.json", "OpenTofu takes it in the place of the file of its name"),
    (".tfstack.hcl", "Terraform takes the parts of a stack from it"),
    (".tfcomponent.hcl", "Terraform takes the parts of a stack from it"),
    (".tfdeploy.hcl", "Terraform takes the values of a stack from it"),
];
/// Names of the files of Terragrunt.
const OF_TERRAGRUNT: [&str; 3] = ["terragrunt.hcl", "terragrunt.hcl.json", "terragrunt.stack.hcl"];
const TERRAGRUNT: &str = "Terragrunt takes modules and their values from it";
/// Ends of the names of files with values of Terraform's variables.
const VALUES: [&str; 2] = [".tfvars", ".tfvars.json"];

/// One input that was found in a folder.
#[derive(Debug)]
pub struct FolderInput {
    /// What reports call it.
    pub name: String,
    /// Its resources, or why it was not read.
    pub graph: Result<Graph, InputError>,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// The inputs: root modules of Terraform, templates, plans, and all manifests together.
    pub inputs: Vec<FolderInput>,
    /// Documents that are no infrastructure code, by path. Nothing of them was checked.
    pub passed_over: Vec<String>,
}

/// Whether a file of this name holds Terraform configuration.
#[must_use]
pub fn is_configuration(name: &str) -> bool {
    CONFIGURATION.iter().any(|end| name.ends_with(end))
}

/// Whether a folder is looked through for files of this name, even if nothing refers to them.
#[must_use]
pub fn is_looked_at(name: &str) -> bool {
    let is_terraform = CONFIGURATION.iter().chain(&VALUES).any(|end| name.ends_with(end));
    is_terraform || is_document_name(name) || reason_not_to_read(name).is_some()
}

/// Whether a file of this name may hold a template if it is small, and is anything else as a rule.
#[must_use]
pub fn is_plain_text(name: &str) -> bool {
    ends_with(name, PLAIN_TEXT)
}

/// Names of documents count in whatever case they are written.
fn is_document_name(name: &str) -> bool {
    DOCUMENTS.iter().any(|end| ends_with(name, end))
}

fn ends_with(name: &str, end: &str) -> bool {
    let at = name.len().checked_sub(end.len());
    at.and_then(|at| name.get(at..)).is_some_and(|own| own.eq_ignore_ascii_case(end))
}

/// What a file that is not read would change. What was fetched with a module says how somebody else
/// deploys it, but for files that take the place of others.
fn reason_not_to_read(path: &str) -> Option<&'static str> {
    let is_fetched = is_fetched(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    if OF_TERRAGRUNT.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return (!is_fetched).then_some(TERRAGRUNT);
    }
    let (end, reason) = NOT_READ.iter().find(|(end, _)| ends_with(path, end))?;
    (!is_fetched || end.starts_with(".tofu")).then_some(reason)
}

/// Sorts the files of a folder into inputs and reads each. `name` is what reports call the folder; paths
/// of files are relative to it. Files that are not infrastructure code may be among them: functions of
/// Terraform read those. `options` are the values that Terraform would be called with.
#[must_use]
pub fn read_folder(name: &str, files: &[SourceFile<'_>], options: &SourceOptions<'_>) -> Folder {
    let mut folder = Folder::default();
    for file in files {
        if let Some(reason) = reason_not_to_read(file.path) {
            let what = format!("this file was not read, and nothing it changes was checked: {reason}");
            let graph = Err(InputError::UnknownFormat { what });
            folder.inputs.push(FolderInput { name: within(name, file.path), graph });
        }
    }
    if files.iter().any(|file| is_configuration(file.path)) {
        read_configuration(name, files, options, &mut folder);
    } else if !options.variables.is_empty() || !options.variable_files.is_empty() {
        let what = "values were given, and there is no Terraform configuration that takes them".to_owned();
        let graph = Err(InputError::UnknownFormat { what });
        folder.inputs.push(FolderInput { name: name.to_owned(), graph });
    }
    let mut manifests: Vec<(&str, String)> = Vec::new();
    for file in files.iter().filter(|file| is_document(file.path)) {
        let text = read_text(file.bytes);
        let format = text.as_ref().map_err(Clone::clone).and_then(|text| recognise(text));
        let graph = match (format, text) {
            (Ok(Format::Kubernetes), Ok(text)) => {
                manifests.push((file.path, text.into_owned()));
                continue;
            }
            (Ok(Format::CloudFormation), Ok(text)) => read_cloudformation(file.path, &text),
            (Ok(_), Ok(text)) => read_terraform(&text),
            (Err(InputError::NotInfrastructure), _) => {
                folder.passed_over.push(file.path.to_owned());
                continue;
            }
            // Notes are no YAML.
            (Err(_), _) | (_, Err(_)) if is_plain_text(file.path) => {
                folder.passed_over.push(file.path.to_owned());
                continue;
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        folder.inputs.push(FolderInput { name: within(name, file.path), graph });
    }
    if !manifests.is_empty() {
        let files: Vec<ManifestFile<'_>> =
            manifests.iter().map(|(file, text)| ManifestFile { file, text }).collect();
        let name = format!("{name} (manifests of Kubernetes)");
        folder.inputs.push(FolderInput { name, graph: read_kubernetes(&files) });
    }
    folder
}

/// The root module to which one file of Terraform belongs: the folder it lies in, which `name` calls.
/// `options` are the values that Terraform would be called with.
#[must_use]
pub fn read_module_of_file(name: &str, files: &[SourceFile<'_>], options: &SourceOptions<'_>) -> FolderInput {
    let graph = TerraformSource::read(files).and_then(|source| {
        let undeclared = options.variables.iter().find(|(variable, _)| !source.declares("", variable));
        let of_others = options.variable_files.iter().find(|file| source.is_of_others(file, &[""]));
        match (undeclared, of_others) {
            (Some((variable, _)), _) => Err(undeclared_variable(variable)),
            (_, Some(file)) => Err(of_others_values(file.path)),
            (None, None) => source.graph(&SourceOptions { root: "", ..*options }),
        }
    });
    FolderInput { name: name.to_owned(), graph }
}

/// A value for a variable that is not there is a slip of the pen: another one was meant.
fn undeclared_variable(variable: &str) -> InputError {
    InputError::UnknownFormat {
        what: format!("no root module declares the variable {variable:?} that was given"),
    }
}

fn of_others_values(path: &str) -> InputError {
    InputError::UnknownFormat { what: format!("no root module declares a variable that {path} gives") }
}

fn read_configuration(
    name: &str,
    files: &[SourceFile<'_>],
    options: &SourceOptions<'_>,
    folder: &mut Folder,
) {
    let source = match TerraformSource::read(files) {
        Ok(source) => source,
        Err(error) => {
            folder.inputs.push(FolderInput { name: name.to_owned(), graph: Err(error) });
            return;
        }
    };
    let graphs = source.graphs(options);
    for (variable, _) in options.variables {
        if !graphs.iter().any(|(root, _)| source.declares(root, variable)) {
            let graph = Err(undeclared_variable(variable));
            folder.inputs.push(FolderInput { name: name.to_owned(), graph });
        }
    }
    let roots: Vec<&str> = graphs.iter().map(|(root, _)| root.as_str()).collect();
    for file in options.variable_files.iter().filter(|file| source.is_of_others(file, &roots)) {
        let graph = Err(of_others_values(file.path));
        folder.inputs.push(FolderInput { name: name.to_owned(), graph });
    }
    let inputs = graphs.into_iter().map(|(root, graph)| FolderInput { name: within(name, &root), graph });
    folder.inputs.extend(inputs);
}

fn is_document(path: &str) -> bool {
    let is_terraform = CONFIGURATION.iter().chain(&VALUES).any(|end| path.ends_with(end));
    let is_fetched = is_fetched(path);
    let is_text = is_document_name(path) || is_plain_text(path);
    !is_terraform && !is_fetched && is_text && reason_not_to_read(path).is_none()
}

fn within(folder: &str, path: &str) -> String {
    match (folder, path) {
        (folder, "") => folder.to_owned(),
        ("" | ".", path) => path.to_owned(),
        (folder, path) => format!("{}/{path}", folder.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Folder {
        let files: Vec<SourceFile<'_>> =
            files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
        read_folder("infra", &files, &SourceOptions::default())
    }

    fn names(folder: &Folder) -> Vec<&str> {
        folder.inputs.iter().map(|input| input.name.as_str()).collect()
    }

    #[test]
    fn each_root_each_template_and_all_manifests_are_inputs() {
        let found = folder(&[
            ("main.tf", "module \"m\" {\n  source = \"./m\"\n}\n"),
            ("m/main.tf", "resource \"aws_s3_bucket\" \"b\" {}\n"),
            ("other/x.tf.json", "{\"resource\": {\"aws_s3_bucket\": {\"c\": {}}}}"),
            ("other/x.auto.tfvars.json", "{}"),
            ("stack.template", "{\"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\"}}}"),
            ("k/policy.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n"),
            ("k/pod.yml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\n"),
            ("package.json", "{\"name\": \"x\"}"),
            (".terraform/modules/modules.json", "{\"Modules\": []}"),
            ("notes.txt", "resource"),
        ]);
        let expected = ["infra", "infra/other", "infra/stack.template", "infra (manifests of Kubernetes)"];
        assert_eq!(names(&found), expected);
        let counts: Vec<usize> =
            found.inputs.iter().map(|input| input.graph.as_ref().map_or(0, Graph::len)).collect();
        assert_eq!(counts, [1, 1, 1, 2]);
        assert_eq!(found.passed_over, ["package.json", "notes.txt"]);
    }

    #[test]
    fn fails_closed_what_a_folder_holds_and_is_not_read_is_an_input() {
        let arm = "{\"contentVersion\": \"1.0.0.0\", \"resources\": []}";
        let found = folder(&[
            ("arm.json", arm),
            ("half.yaml", "a: [\n"),
            ("chart.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {{ include \"x\" . }}\n"),
            ("broken/main.tf", "resource \"a\" {"),
            ("bytes.json", "\u{0}"),
        ]);
        assert_eq!(found.inputs.len(), 5, "{:?}", names(&found));
        assert!(found.inputs.iter().all(|input| input.graph.is_err()), "{:?}", found.inputs);
        assert!(folder(&[]).inputs.is_empty());
    }

    #[test]
    fn fails_closed_what_other_tools_read_is_told() {
        let open = "resource \"aws_efs_file_system\" \"f\" {}\n";
        let terragrunt = ["live/terragrunt.hcl", "live/terragrunt.hcl.json", "terragrunt.stack.hcl"];
        for path in ["a.tofu", "a.tofu.json", "x.tfstack.hcl", "x.tfdeploy.hcl"].iter().chain(&terragrunt) {
            assert!(is_looked_at(path), "{path}");
            let found = folder(&[("a.tf", "locals {}\n"), (path, open)]);
            let told = found.inputs.iter().find(|input| input.name.ends_with(path));
            assert!(told.is_some_and(|input| input.graph.is_err()), "{path}");
        }
    }

    #[test]
    fn fails_closed_the_case_and_the_end_of_a_name_hide_nothing() {
        let stack = "{\"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\"}}}";
        for path in ["a.JSON", "a.cfn", "a.CForm", "a.txt", "a.Template"] {
            assert_eq!(names(&folder(&[(path, stack)])), [format!("infra/{path}")]);
        }
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
        assert_eq!(folder(&[("a.YAML", pod), ("b.Yml", pod)]).inputs.len(), 1);
        let found = folder(&[("notes.txt", "resource: [")]);
        assert!(found.inputs.is_empty() && found.passed_over == ["notes.txt"]);
    }

    #[test]
    fn fails_closed_a_value_for_a_variable_that_is_not_there_is_refused() {
        let files = [SourceFile { path: "a.tf", bytes: b"variable \"size\" {}\n" }];
        for (variable, is_refused) in [("size", false), ("sise", true)] {
            let variables = [(variable, "5")];
            let options = SourceOptions { variables: &variables, ..SourceOptions::default() };
            let found = read_folder("infra", &files, &options);
            assert_eq!(found.inputs.iter().any(|input| input.graph.is_err()), is_refused, "{variable}");
            assert_eq!(read_module_of_file("a.tf", &files, &options).graph.is_err(), is_refused);
        }
    }

    #[test]
    fn fails_closed_a_file_of_values_is_for_the_roots_that_declare_something_of_it() {
        let open = "variable \"NAME\" {\n  default = true\n}\n";
        let (of_a, of_b) = (open.replace("NAME", "size"), open.replace("NAME", "on"));
        let files = [
            SourceFile { path: "a/main.tf", bytes: of_a.as_bytes() },
            SourceFile { path: "b/main.tf", bytes: of_b.as_bytes() },
            SourceFile { path: "a/prod.tfvars", bytes: b"size = 5" },
            SourceFile { path: "b/prod.tfvars", bytes: b"on = false" },
        ];
        let blocked = |text: &str| -> Vec<String> {
            let named = [SourceFile { path: "named.tfvars", bytes: text.as_bytes() }];
            let options = SourceOptions { variable_files: &named, ..SourceOptions::default() };
            let found = read_folder("", &files, &options);
            let is_blocked = |input: &&FolderInput| match &input.graph {
                Ok(graph) => graph.notes().iter().any(|note| note.blocks),
                Err(_) => true,
            };
            found.inputs.iter().filter(is_blocked).map(|input| input.name.clone()).collect()
        };
        assert_eq!(blocked("size = 5"), ["b"]);
        assert!(blocked("size = 5\non = true").is_empty());
        assert_eq!(blocked(""), ["a", "b"]);
        // Nobody declares anything of it: another file was meant.
        assert_eq!(blocked("sise = 5"), ["", "a", "b"]);
        let named = [SourceFile { path: "n.tfvars", bytes: b"size = 5" }];
        let options = SourceOptions { variable_files: &named, ..SourceOptions::default() };
        let stack = "{\"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\"}}}";
        let only = [SourceFile { path: "a.json", bytes: stack.as_bytes() }];
        assert!(read_folder("", &only, &options).inputs.iter().any(|input| input.graph.is_err()));
        let alone = [SourceFile { path: "main.tf", bytes: of_b.as_bytes() }];
        assert!(read_module_of_file("b", &alone, &options).graph.is_err());
    }

    #[test]
    fn one_file_stands_for_its_folder() {
        let files = [
            SourceFile { path: "a.tf", bytes: b"locals {\n  on = true\n}\n" },
            SourceFile {
                path: "b.tf",
                bytes: b"resource \"aws_efs_file_system\" \"f\" {\n  encrypted = local.on\n}\n",
            },
        ];
        assert_eq!(read_module_of_file("a.tf", &files, &SourceOptions::default()).graph.unwrap().len(), 1);
    }
}
