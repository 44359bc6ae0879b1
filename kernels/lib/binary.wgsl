// Elementwise functions of two values, four at a time.      OP: 0 add, 1 sub, 2 mul, 3 div, 4 -a / b

fn f(a: vec4f, b: vec4f) -> vec4f {
  switch OP {
    case 0u: { return a + b; }
    case 1u: { return a - b; }
    case 2u: { return a * b; }
    case 3u: { return a / b; }
    default: { return -a / b; }
  }
}
