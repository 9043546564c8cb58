//! A folder of infrastructure code: which of its files belong together, and what they come to.

use crate::cloudformation::read_cloudformation;
use crate::graph::{Format, Graph};
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::kubernetes::{ManifestFile, read_kubernetes};
use crate::recognise::recognise;
use crate::terraform_plan::read_terraform;
use crate::terraform_source::{SourceFile, SourceOptions, TerraformSource};

/// Ends of the names of files that hold Terraform configuration.
const CONFIGURATION: [&str; 2] = [".tf", ".tf.json"];
/// Ends of the names of files that may hold plans, templates or manifests. What they hold is told by
/// their content.
const DOCUMENTS: [&str; 4] = [".json", ".yaml", ".yml", ".template"];
/// Ends of the names of files with values of Terraform's variables.
const VALUES: [&str; 2] = [".tfvars", ".tfvars.json"];
/// Where Terraform keeps what it fetched.
const FETCHED: &str = ".terraform";

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
    DOCUMENTS.iter().chain(&CONFIGURATION).chain(&VALUES).any(|end| name.ends_with(end))
}

/// Sorts the files of a folder into inputs and reads each. `name` is what reports call the folder; paths
/// of files are relative to it. Files that are not infrastructure code may be among them: functions of
/// Terraform read those.
#[must_use]
pub fn read_folder(name: &str, files: &[SourceFile<'_>]) -> Folder {
    let mut folder = Folder::default();
    if files.iter().any(|file| is_configuration(file.path)) {
        read_configuration(name, files, &mut folder);
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
#[must_use]
pub fn read_module_of_file(name: &str, files: &[SourceFile<'_>]) -> FolderInput {
    let source = TerraformSource::read(files);
    let graph = source.and_then(|source| source.graph(&SourceOptions::default()));
    FolderInput { name: name.to_owned(), graph }
}

fn read_configuration(name: &str, files: &[SourceFile<'_>], folder: &mut Folder) {
    let source = match TerraformSource::read(files) {
        Ok(source) => source,
        Err(error) => {
            folder.inputs.push(FolderInput { name: name.to_owned(), graph: Err(error) });
            return;
        }
    };
    for root in source.roots() {
        let options = SourceOptions { root: &root, ..SourceOptions::default() };
        folder.inputs.push(FolderInput { name: within(name, &root), graph: source.graph(&options) });
    }
}

fn is_document(path: &str) -> bool {
    let is_terraform = CONFIGURATION.iter().chain(&VALUES).any(|end| path.ends_with(end));
    let is_fetched = path.split('/').any(|folder| folder == FETCHED);
    !is_terraform && !is_fetched && DOCUMENTS.iter().any(|end| path.ends_with(end))
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
        read_folder("infra", &files)
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
        assert_eq!(found.passed_over, ["package.json"]);
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
    fn one_file_stands_for_its_folder() {
        let files = [
            SourceFile { path: "a.tf", bytes: b"locals {\n  on = true\n}\n" },
            SourceFile {
                path: "b.tf",
                bytes: b"resource \"aws_efs_file_system\" \"f\" {\n  encrypted = local.on\n}\n",
            },
        ];
        assert_eq!(read_module_of_file("a.tf", &files).graph.unwrap().len(), 1);
    }
}
