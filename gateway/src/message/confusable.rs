//! Characters folded together by how they look, so that an imitation is found.
//!
//! A small table of what is used to imitate Latin text (Unicode UTS #39 has all of them); what it does not know stands
//! for itself. Both sides of a comparison have to be folded; folded text is never shown.

/// The characters of `text` as they look, in ASCII lower case, each with the bytes of `text` that it comes from. White
/// space, combining marks and what has no width are left out.
pub(super) fn folded(text: &str) -> impl Iterator<Item = (char, std::ops::Range<usize>)> {
    text.char_indices()
        .filter(|(_, char)| !is_unseen(*char))
        .map(|(place, char)| (looks_like(char), place..place + char.len_utf8()))
}

fn is_unseen(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char,
            '\u{AD}' | '\u{34F}' | '\u{300}'..='\u{36F}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// A character, and others that look like it.
const LOOKS: [(char, &str); 31] = [
    ('[', "【〔〖⟦⁅❲⦋〚﹝⎡⌈⌊"),
    (']', "】〕〗⟧⁆❳⦌〛﹞⎤⌉⌋"),
    ('(', "❨﹙⁽"),
    (')', "❩﹚⁾"),
    ('-', "‐‑‒–—―−﹣⁃"),
    (':', "ː∶꞉׃"),
    ('.', "․。"),
    ('a', "аАɑαΑᴀ⍺"),
    ('b', "ЬьВвΒʙƄ"),
    ('c', "сСϲϹᴄⅽↄ"),
    ('d', "ԁⅾᴅ"),
    ('e', "еЕΕҽ℮ᴇёЁ"),
    ('f', "ſƒꜰϜ"),
    ('g', "ɡցɢԌ"),
    ('h', "һНнΗʜհ"),
    ('i', "іІΙιıɩⅰӏɪїⅼʟ"),
    ('j', "јЈϳᴊ"),
    ('k', "кКΚκᴋ"),
    ('m', "мМΜⅿᴍ"),
    ('n', "ոռΝɴп"),
    ('o', "оОοΟօᴏσ०๐"),
    ('p', "рРρΡᴘϱ"),
    ('q', "ԛգզ"),
    ('r', "гᴦʀ"),
    ('s', "ѕЅꜱƽՏ"),
    ('t', "тТΤτᴛ"),
    ('u', "υսцʋᴜ"),
    ('v', "ѵνⅴᴠѴ"),
    ('w', "ԝѡɯᴡԜ"),
    ('x', "хХχΧⅹ×"),
    ('y', "уУγʏүҮΥ"),
];

fn looks_like(char: char) -> char {
    match char.to_ascii_lowercase() {
        '1' | 'l' | '|' => 'i',
        '0' => 'o',
        ascii if ascii.is_ascii() => ascii,
        other => styled(u32::from(other)).map_or_else(|| tabled(other), looks_like),
    }
}

fn tabled(char: char) -> char {
    let known = LOOKS.iter().find(|(_, others)| others.contains(char));
    known.map_or(char, |(look, _)| *look)
}

/// Full-width forms, circled letters and the mathematical alphabets, which repeat ASCII in order.
fn styled(code: u32) -> Option<char> {
    let ascii = match code {
        0xFF01..=0xFF5E => code - 0xFF01 + 0x21,
        0x24B6..=0x24CF => code - 0x24B6 + 0x61,
        0x24D0..=0x24E9 => code - 0x24D0 + 0x61,
        // Pairs of capital and small alphabets in 13 styles.
        0x1D400..=0x1D6A3 => (code - 0x1D400) % 26 + 0x61,
        0x1D7CE..=0x1D7FF => (code - 0x1D7CE) % 10 + 0x30,
        0x1F130..=0x1F149 => code - 0x1F130 + 0x61,
        _ => return None,
    };
    char::from_u32(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_folds_together() {
        for (text, expected) in [
            ("[Signed OK]", "[signedok]"),
            ("［ｓｉｇｎｅｄ　ＯＫ］", "[signedok]"),
            ("【ѕіgnеd ОК】", "[signedok]"),
            ("[s\u{200B}igned\u{AD} O\u{301}K]", "[signedok]"),
            ("[𝐬𝗶𝑔𝓃𝖊𝚍 ⓄⓀ]", "[signedok]"),
            ("Grüße", "grüße"),
            ("署名", "署名"),
        ] {
            let look: String = folded(text).map(|(char, _)| char).collect();
            assert_eq!(look, expected, "{text}");
        }
    }

    #[test]
    fn each_look_has_one_meaning() {
        for (look, others) in LOOKS {
            for other in others.chars() {
                assert_eq!(looks_like(other), look, "{other}");
            }
        }
    }
}
