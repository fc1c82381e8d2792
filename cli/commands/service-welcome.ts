import { stat } from 'node:fs/promises'

export interface WelcomeParts {
  /** How people reach it. */
  readonly url: string
  readonly adminTokenFile: string
}

/** For somebody who has just typed `service start` and looks at a terminal; programs read the line "ready" only. */
export async function welcome({ url, adminTokenFile }: WelcomeParts): Promise<string> {
  const hasToken = await stat(adminTokenFile).then(
    () => true,
    () => false,
  )
  return `The portal: ${url}${hasToken ? ` (as long as nobody has an account it asks for the token in ${adminTokenFile})` : ''}`
}
