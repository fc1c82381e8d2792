/** Which field of a form a fault is about. Pure. */

interface Told {
  readonly code: string
  readonly message: string
}

/** By the code, the settings that it most often is about: the first that a kind has. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  STORE_DENIED: ['password', 'secretAccessKey', 'accountKey', 'user'],
  STORE_UNREACHABLE: ['host', 'endpoint', 'account', 'region'],
  HOST_DENIED: ['host', 'endpoint', 'account'],
  FILE_MISSING: ['path', 'bucket', 'container'],
  FILE_DENIED: ['path'],
  ...Object.fromEntries(
    ['CREDENTIAL_UNREADABLE', 'REFERENCE_INVALID', 'REFERENCE_DENIED', 'REFERENCE_MISSING', 'REFERENCE_UNREACHABLE'].map((code) => [
      code,
      ['password', 'secretAccessKey', 'accountKey', 'sasToken', 'connectionString'],
    ]),
  ),
}
/** The field that is no setting. */
export const NAME_FIELD = 'name'

/** Undefined where it is about none of them: then it stands at the end of the form. `names`: the settings of the kind, in their order. */
export function placeOfFault({ code, message }: Told, names: readonly string[]): string | undefined {
  if (code === 'STORE_EXISTS') return NAME_FIELD
  // "… port: a number is wanted", as services and nodes say it.
  if (code === 'STORE_SETTINGS_INVALID' || code === 'INPUT_INVALID') {
    return names.find((name) => new RegExp(String.raw`(?:^|[\s./])${name}(?::|$)`, 'u').test(message))
  }
  return USUAL[code]?.find((name) => names.includes(name))
}
