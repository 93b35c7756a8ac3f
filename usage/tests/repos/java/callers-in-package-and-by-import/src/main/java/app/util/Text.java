package app.util;

public class Text {
}
