//! A picture of time against resources.

use plotters::prelude::*;

/// Width in pixels.
const WIDTH: u32 = 720;
/// Height in pixels.
const HEIGHT: u32 = 460;
/// Okabe and Ito's blue and vermilion, which people with any colour vision can tell apart.
const FRONT: RGBColor = RGBColor(0, 114, 178);
/// See [`FRONT`].
const CHOSEN: RGBColor = RGBColor(213, 94, 0);
const BEATEN: RGBColor = RGBColor(150, 150, 150);

/// A geometry in the picture.
#[derive(Clone, Debug)]
pub struct FrontMark {
    /// Its name.
    pub name: String,
    /// Multiply-accumulate units.
    pub macs: u64,
    /// Bits of all buffers.
    pub sram_bits: u64,
    /// Milliseconds of an image.
    pub milliseconds: f64,
    /// Whether no other beats it.
    pub on_front: bool,
    /// Whether it is the default geometry.
    pub is_default: bool,
    /// Whether it was chosen.
    pub is_chosen: bool,
}

/// An SVG picture: time over buffers, the size of a mark is that of the matrix unit; the default geometry is a square.
///
/// # Errors
/// When the picture cannot be drawn; the text says why.
pub fn draw_front(marks: &[FrontMark]) -> Result<String, String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        draw(marks, &root).map_err(|error| error.to_string())?;
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type DrawError<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

fn draw<'a>(marks: &[FrontMark], area: &Area<'a>) -> Result<(), DrawError<'a>> {
    area.fill(&WHITE)?;
    let kib = |mark: &FrontMark| mark.sram_bits as f64 / 8192.0;
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max).max(1e-9);
    let right = 1.1 * most(&mut marks.iter().map(kib));
    let top = 1.1 * most(&mut marks.iter().map(|mark| mark.milliseconds));
    let mut chart = ChartBuilder::on(area)
        .caption("time of an image over buffers", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("buffers, KiB")
        .y_desc("milliseconds")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    let radius = |mark: &FrontMark| 2 + (mark.macs as f64).log2().round() as i32 / 2;
    for mark in marks {
        let at = (kib(mark), mark.milliseconds);
        let colour = if mark.is_chosen {
            CHOSEN
        } else if mark.on_front {
            FRONT
        } else {
            BEATEN
        };
        let r = radius(mark);
        let label = format!(
            "{}{}, {} MACs",
            if mark.is_default { "default: " } else { "" },
            mark.name,
            mark.macs
        );
        let text = Text::new(label, (r + 3, -6), ("sans-serif", 11));
        if mark.is_default {
            let square = Rectangle::new([(-r, -r), (r, r)], colour.filled());
            chart.draw_series([EmptyElement::at(at) + square + text])?;
        } else {
            let circle = Circle::new((0, 0), r, colour.filled());
            chart.draw_series([EmptyElement::at(at) + circle + text])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_geometry_is_marked_in_the_picture() {
        let mark = |name: &str, is_default| FrontMark {
            name: name.to_owned(),
            macs: 256,
            sram_bits: 8 * 480 * 1024,
            milliseconds: 70.0,
            on_front: true,
            is_default,
            is_chosen: !is_default,
        };
        let svg = draw_front(&[mark("first", true), mark("second", false)]).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<&str> = document.descendants().filter_map(|n| n.text()).collect();
        assert!(texts.iter().any(|t| t.contains("default: first, 256 MACs")));
        assert!(texts.iter().any(|t| t.contains("second, 256 MACs")));
    }
}
