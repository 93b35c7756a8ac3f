//! One image, by the names that are compared.

use std::collections::BTreeMap;

use super::link::Image;
use super::model::{Enum, Field, File, Message, Service};

/// Something declared, with its file.
#[derive(Debug)]
pub(super) struct In<'a, T> {
    pub file: &'a File,
    pub item: &'a T,
}

impl<T> Clone for In<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for In<'_, T> {}

type ByName<'a, T> = BTreeMap<&'a str, In<'a, T>>;

/// Everything by full name; nested declarations and entries of maps included.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub files: BTreeMap<&'a str, &'a File>,
    /// Files by package, in the order of paths.
    pub packages: BTreeMap<&'a str, Vec<&'a File>>,
    pub messages: ByName<'a, Message>,
    pub enums: ByName<'a, Enum>,
    pub services: ByName<'a, Service>,
    pub extensions: ByName<'a, Field>,
    /// Extensions by what they extend and their number.
    pub extended: BTreeMap<(&'a str, i64), In<'a, Field>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(image: &'a Image) -> Self {
        let mut index = Self::default();
        for file in &image.files {
            index.files.insert(&file.path, file);
            index.packages.entry(&file.package).or_default().push(file);
            for message in &file.messages {
                index.message(file, message);
            }
            for item in &file.enums {
                index.enums.insert(&item.full_name, In { file, item });
            }
            for item in &file.services {
                index.services.insert(&item.full_name, In { file, item });
            }
            for item in &file.extensions {
                index.extension(In { file, item });
            }
        }
        index
    }

    fn message(&mut self, file: &'a File, item: &'a Message) {
        self.messages.insert(&item.full_name, In { file, item });
        for nested in &item.messages {
            self.message(file, nested);
        }
        for item in &item.enums {
            self.enums.insert(&item.full_name, In { file, item });
        }
        for item in &item.extensions {
            self.extension(In { file, item });
        }
    }

    fn extension(&mut self, found: In<'a, Field>) {
        self.extensions.insert(&found.item.full_name, found);
        let extendee = found.item.extendee.as_deref().unwrap_or_default();
        self.extended.insert((extendee, found.item.number), found);
    }
}

/// A full name without the package of its file.
pub(super) fn nested_name<'a>(file: &File, full_name: &'a str) -> &'a str {
    match full_name.strip_prefix(&file.package) {
        Some(rest) if !file.package.is_empty() => rest.trim_start_matches('.'),
        _ => full_name,
    }
}
