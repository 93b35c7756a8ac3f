use proc_macro::{Ident, Span, TokenStream, TokenTree};

#[proc_macro]
pub fn clock(_: TokenStream) -> TokenStream {
    TokenTree::from(Ident::new(&["ti", "me"].concat(), Span::call_site())).into()
}
