import { config } from 'zod/v4/core'

/** The pages forbid themselves to make code of text (Content-Security-Policy): the schemas shall not even try. Before any schema is made. */
config({ jitless: true })
