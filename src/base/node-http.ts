/**
 * Node's `http` and `https`. An ES import of them reads every export, the lazy ones too, and so
 * loads Node's whole fetch for nothing: 5 MB and 15 ms in each process. Types are imported as usual.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');
