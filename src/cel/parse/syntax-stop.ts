/** Ends the parse; the issue is already reported. */
export class SyntaxStop extends Error {}
