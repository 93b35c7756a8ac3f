use proc_macro::TokenStream;

#[proc_macro]
pub fn clock(_: TokenStream) -> TokenStream {
    ["ti", "me::at(1)"].concat().parse().unwrap()
}
