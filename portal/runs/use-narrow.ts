import { useMediaQuery } from '@mantine/hooks'

/** Where the columns of a table do not fit: a phone. */
export const useNarrow = (): boolean => useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
