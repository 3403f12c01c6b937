/** The API types of Kubernetes 1.36 as plain interfaces; see scripts/generate/types.ts. */
export type * from './generated/types.ts';
