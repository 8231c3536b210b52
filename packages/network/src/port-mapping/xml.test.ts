import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childText, escapeXml, findElement, parseXml, type XmlElement, xmlLimits } from './xml.ts';

function parsed(text: string): XmlElement {
  const result = parseXml(text);
  assert.ok(result.ok, text);
  return result.value;
}

function codeOf(text: string): string | null {
  const result = parseXml(text);
  return result.ok ? null : result.fault.code;
}

test('elements, text, attributes, prefixes, comments, CDATA and entities', () => {
  const root = parsed(
    '\ufeff<?xml version="1.0"?>\n<!DOCTYPE x><!-- a <b> --><s:Root a="1>2" b=\'"\'>one<e/> &amp;&#65;&#x42; ' +
      '<![CDATA[<raw> & ]]><deep><x>1</x><x> 2 </x></deep></s:Root>',
  );
  assert.equal(root.name, 'Root');
  assert.equal(root.text, 'one &AB <raw> & ');
  assert.deepEqual(
    root.children.map(({ name }) => name),
    ['e', 'deep'],
  );
  assert.equal(childText(root.children[1]!, 'x'), '1');
  assert.equal(findElement(root, 'x')?.text, '1');
  assert.equal(findElement(root, 'y'), null);
  assert.equal(childText(root, 'none'), '');
});

test('what routers write wrongly is forgiven', () => {
  assert.deepEqual(
    parsed('<a><b>1</a>').children.map(({ name }) => name),
    ['b'],
  );
  assert.equal(childText(parsed('<a></c><b>1</b></a>'), 'b'), '1');
  assert.equal(childText(parsed('<a><b>1'), 'b'), '1', 'cut short');
  assert.equal(parsed('<a>&unknown; &#0; &#xd800; & </a>').text, '&unknown; &#0; &#xd800; & ');
});

test('what is no XML is said to be so', () => {
  for (const text of ['', 'text', '<', '<a', '<a "', '<!-- a', '<![CDATA[', '<?x', '< a>', '<1$>', '<a<b>']) {
    assert.equal(codeOf(text), 'NETWORK_XML_SYNTAX', text);
  }
});

test('depth, number and length have ceilings', () => {
  assert.equal(codeOf('<a>'.repeat(xmlLimits.depth)), null);
  assert.equal(codeOf('<a>'.repeat(xmlLimits.depth + 1)), 'NETWORK_XML_TOO_LARGE');
  assert.equal(codeOf(`<a>${'<b/>'.repeat(3 * xmlLimits.elementCount)}</a>`), 'NETWORK_XML_TOO_LARGE');
  assert.equal(codeOf(`<a>${'x'.repeat(xmlLimits.textCharacters)}</a>`), 'NETWORK_XML_TOO_LARGE');
});

test('what is escaped comes back', () => {
  const text = 'a <b> & "c" \u00f1';
  assert.equal(parsed(`<a>${escapeXml(text)}</a>`).text, text);
});
