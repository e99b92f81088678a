//! Which file of a crate uses which: its paths, resolved through modules and re-exports as the compiler does it.
//!
//! What only tests compile is left out, because a test may look into everything. Paths do not show the methods of a value
//! whose type is not named.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The names from a crate's root to a module, or to something in it.
type Place = Vec<String>;

/// Re-exports of re-exports that are followed. More are names that lead to themselves, as those of other crates do.
const MOST_STEPS: usize = 20;

/// The modules of one crate.
pub(super) struct Crate {
    modules: BTreeMap<Place, Module>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    /// What is declared here by its name. A macro may declare more.
    items: BTreeSet<String>,
    /// What `use` brings in, and the path to it.
    bound: HashMap<String, Place>,
    /// The modules of which `use` brings in everything.
    globs: Vec<Place>,
    /// The paths that are named here.
    named: Vec<Place>,
}

/// What each file takes from which other one: the names.
pub(super) type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

impl Crate {
    /// Reads a crate, from its root file on.
    pub(super) fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let mut left = vec![(Place::new(), root.to_owned())];
        while let Some((place, file)) = left.pop() {
            let text = std::fs::read_to_string(&file);
            let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let tokens = text.parse::<TokenStream>();
            let tokens = tokens.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let mut reader = Reader {
                file: &file,
                modules: &mut modules,
                children: Vec::new(),
            };
            reader.read_module(&place, tokens);
            // The modules of the root file stand beside it, those of another in a folder of its name.
            let folder = if file == root {
                root.with_file_name("")
            } else {
                file.with_extension("")
            };
            for child in reader.children {
                let name = folder.join(&child[child.len() - 1]);
                left.push((child, name.with_extension("rs")));
            }
        }
        Self { modules }
    }

    /// What each file takes from which other one.
    pub(super) fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (place, module) in &self.modules {
            for path in &module.named {
                let Some((found, Some(name))) = self.find(place, path, 0) else {
                    continue;
                };
                let file = &self.modules[found].file;
                if *file != module.file {
                    let used = uses.entry(module.file.clone()).or_default();
                    used.entry(file.clone()).or_default().insert(name.to_owned());
                }
            }
        }
        uses
    }

    /// The module that a path leads to, or the one that declares what it names, with that name.
    fn find<'a>(
        &'a self,
        from: &[String],
        path: &'a [String],
        steps: usize,
    ) -> Option<(&'a Place, Option<&'a str>)> {
        if steps > MOST_STEPS {
            return None;
        }
        let (place, module) = self.modules.get_key_value(from)?;
        let Some((name, rest)) = path.split_first() else {
            return Some((place, None));
        };
        if name == "crate" {
            return self.find(&[], rest, steps);
        }
        let child = [from, std::slice::from_ref(name)].concat();
        if self.modules.contains_key(&child) {
            return self.find(&child, rest, steps);
        }
        if let Some(target) = module.bound.get(name) {
            return match self.find(from, target, steps + 1)? {
                (module, None) => self.find(module, rest, steps + 1),
                item => Some(item),
            };
        }
        if !module.items.contains(name) {
            let mut globs = module.globs.iter();
            let declares = |glob: &'a Place| match self.find(from, glob, steps + 1)? {
                (within, None) if self.modules[within].declares(name) => self.find(within, path, steps + 1),
                _ => None,
            };
            if let Some(found) = globs.find_map(declares) {
                return Some(found);
            }
        }
        Some((place, Some(name)))
    }
}

impl Module {
    fn declares(&self, name: &str) -> bool {
        self.items.contains(name) || self.bound.contains_key(name)
    }
}

/// Reads one file.
struct Reader<'a> {
    file: &'a Path,
    modules: &'a mut BTreeMap<Place, Module>,
    /// The modules that are declared here and stand in files of their own.
    children: Vec<Place>,
}

impl Reader<'_> {
    fn read_module(&mut self, place: &Place, tokens: TokenStream) {
        let module = Module {
            file: self.file.to_owned(),
            ..Module::default()
        };
        self.modules.insert(place.clone(), module);
        self.read(place, tokens, true);
    }

    /// Reads what stands in a module; directly, or within something else.
    fn read(&mut self, place: &Place, tokens: TokenStream, is_direct: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        while let Some((token, after)) = rest.split_first() {
            rest = match token {
                TokenTree::Punct(sign) if sign.as_char() == '#' => match after {
                    [TokenTree::Group(attribute), item @ ..] if is_for_tests(attribute) => after_item(item),
                    _ => after,
                },
                // Of another crate, or of a type: `::http::Method`, `<T as Trait>::Output`.
                TokenTree::Punct(_) if is_double_colon(rest) => path(&rest[2..]).1,
                TokenTree::Group(group) => {
                    self.read(place, group.stream(), false);
                    after
                }
                TokenTree::Ident(word) => self.read_word(place, &word.to_string(), rest, is_direct),
                _ => after,
            };
        }
    }

    /// Reads what begins with a word, and gives back what comes after it.
    fn read_word<'a>(
        &mut self,
        place: &Place,
        word: &str,
        rest: &'a [TokenTree],
        is_direct: bool,
    ) -> &'a [TokenTree] {
        let after = &rest[1..];
        match (word, after) {
            ("pub", [TokenTree::Group(scope), after @ ..]) if scope.delimiter() == Delimiter::Parenthesis => {
                after
            }
            ("use", _) => {
                let end = after.iter().position(|token| is_sign(token, ';'));
                let (tree, after) = after.split_at(end.unwrap_or(after.len()));
                self.read_use(place, &Place::new(), tree);
                after
            }
            ("mod", [TokenTree::Ident(name), after @ ..]) if is_direct => {
                let child = [&place[..], &[name.to_string()]].concat();
                match after.first() {
                    Some(TokenTree::Group(body)) => self.read_module(&child, body.stream()),
                    _ => self.children.push(child),
                }
                after.get(1..).unwrap_or_default()
            }
            (
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static",
                [TokenTree::Ident(name), ..],
            ) if is_direct => {
                self.module(place).items.insert(name.to_string());
                after
            }
            _ => {
                let (path, after) = path(rest);
                if path.len() > 1 {
                    let path = absolute(place, path);
                    self.module(place).named.push(path);
                }
                after
            }
        }
    }

    /// Reads the tree of a `use`.
    fn read_use(&mut self, place: &Place, before: &Place, tree: &[TokenTree]) {
        for branch in tree.split(|token| is_sign(token, ',')) {
            let (names, after) = path(branch);
            let path = [&before[..], &names].concat();
            match after {
                [TokenTree::Group(branches)] => {
                    let branches: Vec<TokenTree> = branches.stream().into_iter().collect();
                    self.read_use(place, &path, &branches);
                }
                [TokenTree::Punct(star)] if star.as_char() == '*' => {
                    let path = absolute(place, path);
                    self.module(place).globs.push(path);
                }
                _ => self.bind(place, path, after),
            }
        }
    }

    fn bind(&mut self, place: &Place, mut path: Place, after: &[TokenTree]) {
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let Some(last) = path.last() else { return };
        let name = match after {
            [TokenTree::Ident(_as), TokenTree::Ident(name)] => name.to_string(),
            _ => last.clone(),
        };
        let path = absolute(place, path);
        let module = self.module(place);
        module.named.push(path.clone());
        module.bound.insert(name, path);
    }

    fn module(&mut self, place: &Place) -> &mut Module {
        self.modules.entry(place.clone()).or_default()
    }
}

/// The path at the beginning, and what comes after it.
fn path(tokens: &[TokenTree]) -> (Place, &[TokenTree]) {
    let mut names = Place::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        names.push(name.to_string());
        rest = after;
        if !is_double_colon(rest) {
            break;
        }
        rest = &rest[2..];
    }
    (names, rest)
}

/// The same path without `self` and `super`.
fn absolute(place: &Place, path: Place) -> Place {
    let ups = path
        .iter()
        .take_while(|name| *name == "super" || *name == "self")
        .count();
    if ups == 0 {
        return path;
    }
    let supers = path.iter().take(ups).filter(|name| *name == "super").count();
    let above = place.len().saturating_sub(supers);
    [&["crate".to_owned()], &place[..above], &path[ups..]].concat()
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is_sign(first, ':') && is_sign(second, ':'))
}

/// Whether an attribute is `cfg(test)`.
fn is_for_tests(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// What comes after the item at the beginning.
fn after_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let is_use = tokens.iter().take(3).any(|token| token.to_string() == "use");
    let is_end = |token: &TokenTree| {
        let is_body = matches!(token, TokenTree::Group(body) if body.delimiter() == Delimiter::Brace);
        is_sign(token, ';') || is_body && !is_use
    };
    let end = tokens.iter().position(is_end);
    end.map_or(&[], |end| &tokens[end + 1..])
}
