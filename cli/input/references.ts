import { Fault } from '@postern/protocol/fault.ts'
import { parseReference } from '@postern/protocol/reference.ts'
import { parsePairs } from './pairs.ts'

/** Values of --secret-ref: what the node reads in place of a secret. A setting has a secret or a reference to one. */
export function parseReferences(words: readonly string[], secrets: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const references = parsePairs(words, '--secret-ref')
  for (const [name, text] of references) {
    if (secrets.has(name)) throw new Fault('INPUT_INVALID', { at: `${name} is given with --secret and with --secret-ref.` })
    // Not the text: it may be a secret that was given in the wrong place.
    if (!parseReference(text)) throw new Fault('REFERENCE_INVALID', { at: `(--secret-ref ${name})` })
  }
  return references
}
