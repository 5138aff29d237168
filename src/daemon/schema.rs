//! Schema files: LDIF whose records hold definitions, as other servers write their own schema.
//!
//! Owns which attributes of such a record are read (`attributeTypes`, `objectClasses`, and OpenLDAP's `olc…` with its
//! numbers in braces), and the bound of a file. What a definition may say is `directory::schema`'s.

use crate::config::Problem;
use directory::schema::custom::{Defines, Given};
use ldif::{Body, Limits, Reader};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// The largest file, in bytes.
const FILE: u64 = 4 * 1024 * 1024;
/// Bounds within it.
const LIMITS: Limits = Limits { line_bytes: 256 * 1024, record_bytes: 4 * 1024 * 1024, record_lines: 16_384 };

/// The definitions of all files.
///
/// # Errors
/// Everything that is wrong with the first file that is.
pub fn read(files: &[String]) -> Result<Vec<Given>, Problem> {
    let mut given = Vec::new();
    for file in files {
        let open =
            File::open(Path::new(file)).map_err(|error| Problem::general(format!("schema.files: {file}: {error}")))?;
        definitions(file, open, &mut given).map_err(|why| Problem::general(format!("schema.files: {why}")))?;
    }
    Ok(given)
}

fn definitions(name: &str, source: impl Read, given: &mut Vec<Given>) -> Result<(), String> {
    // One byte more than is allowed tells a file that is too long from one that just fits.
    let mut text = Vec::new();
    let read = source.take(FILE.saturating_add(1)).read_to_end(&mut text);
    read.map_err(|error| format!("{name}: {error}"))?;
    if text.len() as u64 > FILE {
        return Err(format!("{name}: longer than {FILE} bytes"));
    }
    let mut reader = Reader::with_limits(BufReader::new(text.as_slice()), LIMITS);
    while let Some(record) = reader.next_record() {
        let record = record.map_err(|error| format!("{name}: {error}"))?;
        let (Body::Content(attributes) | Body::Add(attributes)) = record.body else {
            return Err(format!("{name}:{}: a schema file adds definitions and changes none", record.line));
        };
        for attribute in attributes {
            let place = format!("{name}:{}", attribute.line);
            let description = String::from_utf8_lossy(attribute.description).to_ascii_lowercase();
            let defines = match description.as_str() {
                "attributetypes" | "olcattributetypes" => Defines::AttributeType,
                "objectclasses" | "olcobjectclasses" => Defines::ObjectClass,
                // What the record itself is.
                "objectclass" | "cn" | "ou" => continue,
                other => return Err(format!("{place}: {other} is no part of a schema that is read")),
            };
            let text = str::from_utf8(attribute.value).map_err(|_| format!("{place}: the definition is not UTF-8"))?;
            given.push(Given { defines, text: unnumbered(text).to_owned(), place });
        }
    }
    Ok(())
}

/// OpenLDAP writes `{12}( 1.2.3 …`.
fn unnumbered(text: &str) -> &str {
    let text = text.trim();
    let rest = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match rest {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            rest.trim_start()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Given>, String> {
        let mut given = Vec::new();
        definitions("acme.ldif", text.as_bytes(), &mut given).map(|()| given)
    }

    /// Goal: the forms in which servers exchange schema are read, folded lines too, each definition with its line.
    #[test]
    fn the_usual_forms_are_read() {
        let plain = "dn: cn=schema\nobjectClass: subschema\ncn: schema\n\
                     attributeTypes: ( 1.2.3.1 NAME 'acmeBadge'\n  SUP name )\nobjectClasses: ( 1.2.3.9 NAME 'acmePerson' )\n";
        let olc = "dn: cn={5}acme,cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: {5}acme\n\
                   olcAttributeTypes: {0}( 1.2.3.1 NAME 'acmeBadge' SUP name )\n\
                   olcObjectClasses: {0}( 1.2.3.9 NAME 'acmePerson' )\n";
        for text in [plain, olc] {
            let given = of(text).unwrap();
            let texts: Vec<&str> = given.iter().map(|g| g.text.as_str()).collect();
            assert_eq!(texts, ["( 1.2.3.1 NAME 'acmeBadge' SUP name )", "( 1.2.3.9 NAME 'acmePerson' )"]);
            assert_eq!(given[0].defines, Defines::AttributeType);
            assert_eq!((given[1].defines, given[0].place.as_str()), (Defines::ObjectClass, "acme.ldif:4"));
        }
        assert!(of("").unwrap().is_empty());
    }

    /// Goal: what is no schema file is refused with file and line, and a long one before it is read.
    #[test]
    fn other_files_are_refused() {
        for (text, why) in [
            ("dn: uid=ada,dc=x\nuid: ada\n", "acme.ldif:2: uid is no part"),
            ("dn: cn=schema\nchangetype: modify\nadd: attributeTypes\nattributeTypes: ( 1.2 )\n-\n", "acme.ldif:1:"),
            ("hello", "acme.ldif"),
            ("dn: cn=schema\nattributeTypes:: /w==\n", "not UTF-8"),
        ] {
            let told = of(text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
        assert!(definitions("long.ldif", std::io::repeat(b'#'), &mut Vec::new()).unwrap_err().contains("longer"));
        assert!(read(&["/nowhere/acme.ldif".into()]).unwrap_err().to_string().contains("/nowhere/acme.ldif"));
    }
}
