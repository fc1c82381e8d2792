/** A reference to a secret that lies at the node, in place of the secret. Pure: the command line checks by it, the node resolves by it. */

export type Reference =
  | { readonly is: 'env'; readonly name: string }
  | { readonly is: 'file'; readonly path: string }
  | { readonly is: 'vault'; readonly path: string; readonly field: string }

/** Only variables that say so by their name: a store must not be able to name any variable of the node. */
const VARIABLE = /^POSTERN_REF_[A-Z0-9_]{1,100}$/
/** In what is sealed, the name of a setting whose value is a reference and not the secret itself. */
const MARK = 'ref:'
const LONGEST = 512

/** Undefined when the text is none. */
export function parseReference(text: string): Reference | undefined {
  if (text.length > LONGEST) return undefined
  const [, kind, rest = ''] = /^(env|file|vault):(.+)$/.exec(text) ?? []
  if (kind === 'env') return VARIABLE.test(rest) ? { is: 'env', name: rest } : undefined
  if (kind === 'file') return isPath(rest) ? { is: 'file', path: rest } : undefined
  const [path = '', field = '', ...more] = rest.split('#')
  const isSecret = kind === 'vault' && more.length === 0 && isPath(path) && /^.+\/data\/.+$/.test(path)
  return isSecret && /^[A-Za-z0-9._-]{1,100}$/.test(field) ? { is: 'vault', path, field } : undefined
}

/** Below a folder, and nothing else: no empty step, none that leads up, none that is hidden. */
function isPath(text: string): boolean {
  return text.split('/').every((step) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(step))
}

export const referenceName = (setting: string): string => `${MARK}${setting}`

/** The setting that a name in what was sealed refers to; undefined where the value is the secret itself. */
export function referredSetting(name: string): string | undefined {
  return name.startsWith(MARK) ? name.slice(MARK.length) : undefined
}
