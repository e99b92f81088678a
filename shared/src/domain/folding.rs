//! Text search: the comparison by which a text is found in others.
//!
//! Case is folded character by character, so that a character folds the same wherever it is: `str::to_lowercase` writes
//! a sigma at the end of a word differently. After that `ς` becomes `σ`, and the dot that lowercasing leaves of `İ` is
//! removed. Composed and decomposed forms are equal (Unicode Standard Annex #15, NFC).

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The combining dot above: what lowercasing leaves of `İ` besides the `i`.
const DOT_ABOVE: char = '\u{307}';

/// A text to search for, prepared for many comparisons. It is stored as it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sought {
    asked: String,
    letters: String,
    normal: String,
}

impl From<String> for Sought {
    fn from(asked: String) -> Self {
        Self {
            letters: letters(asked.chars()),
            normal: normal(&asked),
            asked,
        }
    }
}

impl From<Sought> for String {
    fn from(sought: Sought) -> Self {
        sought.asked
    }
}

impl Sought {
    /// Whether a text contains the searched one. Every substring of a text is found in it, even one that begins or ends
    /// between a letter and its accent; so both are compared character by character first, and then in their normal
    /// forms.
    pub fn is_in(&self, text: &str) -> bool {
        let folded = letters(text.chars());
        if folded.contains(&self.letters) {
            return true;
        }
        let is_normal_already = text.is_ascii() && self.letters == self.normal;
        !is_normal_already && normal(text).contains(&self.normal)
    }
}

fn letters(text: impl Iterator<Item = char>) -> String {
    text.flat_map(letter).collect()
}

/// The lower case of a character; depends on the character alone.
fn letter(letter: char) -> impl Iterator<Item = char> {
    let is_dotted = letter == 'İ';
    let lower = letter.to_lowercase();
    lower
        .filter(move |lower| !(is_dotted && *lower == DOT_ABOVE))
        .map(|lower| if lower == 'ς' { 'σ' } else { lower })
}

/// The normal form: equal for all ways to write the same text.
fn normal(text: &str) -> String {
    let mut previous = None;
    let is_kept = |letter: &char| {
        let is_dot_of_i = *letter == DOT_ABOVE && previous == Some('i');
        if !is_dot_of_i {
            previous = Some(*letter);
        }
        !is_dot_of_i
    };
    text.nfc().flat_map(letter).filter(is_kept).nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(words: &str, text: &str) -> bool {
        Sought::from(words.to_owned()).is_in(text)
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        for (words, text) in [
            ("ΟΔΥΣ", "ΟΔΥΣΣΕΥΣ"),
            ("οδυσ", "ΟΔΥΣΣΕΥΣ"),
            ("ΟΔΥΣΣΕΥΣ", "Ὁ Ὀδυσσεύς, οδυσσευς"),
            ("σευς", "ΟΔΥΣΣΕΥΣ"),
            ("istanbul", "İstanbul"),
            ("İSTANBUL", "istanbul"),
            ("i\u{307}stanbul", "İstanbul"),
            ("İstanbul", "I\u{307}stanbul"),
            ("caf\u{e9}", "un cafe\u{301} noir"),
            ("cafe\u{301}", "UN CAF\u{c9} NOIR"),
            ("각", "\u{1100}\u{1161}\u{11a8}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("straße", "STRAßE"),
            ("K", "\u{212a}"),
        ] {
            assert!(finds(words, text), "{words} in {text}");
        }
        for (words, text) in [
            ("cafe ", "caf\u{e9} "),
            ("istanbul", "Ankara"),
            ("İ", "Ankara\u{307}"),
        ] {
            assert!(!finds(words, text), "{words} in {text}");
        }
    }

    #[test]
    fn what_is_sought_is_stored_as_it_was_asked_for() {
        let sought = Sought::from("ΟΔΥΣ".to_owned());
        let stored = serde_json::to_string(&sought).unwrap();
        assert_eq!(stored, "\"ΟΔΥΣ\"");
        assert_eq!(serde_json::from_str::<Sought>(&stored).unwrap(), sought);
    }

    /// Characters that fold, compose and reorder, and any others.
    const TEXT: &str =
        "([aAiIİıσςΣßẞéÉ\u{301}\u{307}\u{323}ǅ\u{1100}\u{1161}\u{11a8}각 k\u{212a}]|\\PC){0,12}";

    proptest! {
        #[test]
        fn every_stretch_of_a_text_finds_it(text in TEXT, from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
            let letters: Vec<char> = text.chars().collect();
            let (from, to) = (from.index(letters.len() + 1), to.index(letters.len() + 1));
            let stretch: String = letters[from.min(to)..from.max(to)].iter().collect();
            prop_assert!(finds(&stretch, &text), "{stretch:?} in {text:?}");
        }

        #[test]
        fn composed_and_decomposed_texts_find_each_other(text in TEXT) {
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            for words in [&text, &composed, &decomposed] {
                for text in [&text, &composed, &decomposed] {
                    let within = format!("x {text} y");
                    prop_assert!(finds(words, text) && finds(words, &within), "{words:?} in {text:?}");
                }
            }
        }

        #[test]
        fn capitals_make_no_difference(text in "[a-zA-ZäÖüσΣçŞğ ]{0,12}") {
            let capitals: String = text.chars().flat_map(char::to_uppercase).collect();
            prop_assert!(finds(&capitals, &text) && finds(&text, &capitals));
        }
    }
}
